"""Run Rasa in its own environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from core.errors import InvalidInput, Unavailable

ROOT = Path(__file__).parent.parent.parent
LONGEST = 3600
"""Default timeout, in seconds."""


def run_rasa(
    words: list[str], log: Path, module: str = "rasa", *, project: Path | None = None, seconds: int = LONGEST
) -> None:
    """Run `python -m rasa WORDS`, or another module, in Rasa's environment; ``project`` may have components of its own.

    Raises:
        Unavailable: the environment is not set up, or the run timed out.
        InvalidInput: the run failed; the message has the end of its log.
    """
    python = ROOT / ".venv-bot/bin/python"
    if not python.exists():
        raise Unavailable("The Rasa environment .venv-bot is missing: run `make setup`.")
    with log.open("wb") as out:
        try:
            done = subprocess.run(  # noqa: S603 - our own command
                ["nice", "-n", "10", str(python), "-m", module, *words],  # noqa: S607 - low priority, so that customers go first
                cwd=ROOT, env=build_rasa_environment(project), stdout=out, stderr=out, check=False, timeout=seconds,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Unavailable(f"{module} {words[0]} did not end within {seconds} s; see {log}") from None
    if done.returncode:
        raise InvalidInput(f"Rasa's own last words, all of them in {log}:\n{_read_log_tail(log)}")


def _read_log_tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def build_rasa_environment(project: Path | None = None) -> dict[str, str]:
    """Return the environment of Rasa's process: our components, those of an adopted project, and quiet logs."""
    quiet = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}
    quiet |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")  # more threads only wait for each other
    return {
        **os.environ,
        **quiet,
        "PYTHONPATH": os.pathsep.join(map(str, [ROOT, project] if project else [ROOT])),
        "PYTHONWARNINGS": "ignore",
    }
