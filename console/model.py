"""The trained Rasa model: made when there is none, or when what it is made from changed."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInput, Unavailable

ROOT = Path(__file__).parent.parent
MADE_FROM = ("config.yml", "domain.yml", "bot/data", "bot/components", "knowledge/embedding.py")


@dataclass(frozen=True)
class BotModel:
    """Where the model lies and how it is made."""

    home: Path

    @property
    def folder(self) -> Path:
        """Rasa loads the newest file of it."""
        return self.home / "models"

    def stale(self) -> bool:
        """Is there no model, or was it made from something else?"""
        stamp = self.folder / "made-from"
        made = any(self.folder.glob("*.tar.gz"))
        return not (made and stamp.is_file() and stamp.read_text() == fingerprint())

    def train(self) -> None:
        """Train with `rasa train`; what it says goes to `train.log` beside the models.

        Raises:
            Unavailable: the Rasa environment is not set up.
            InvalidInput: Rasa refused the training data.
        """
        rasa = ROOT / ".venv-bot/bin/rasa"
        if not rasa.exists():
            raise Unavailable("The Rasa environment .venv-bot is missing: run `make setup`.")
        made_from = fingerprint()
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [str(rasa), "train", "--domain", "domain.yml", "--data", "bot/data", "--config", "config.yml"]
        log = self.folder / "train.log"
        with log.open("wb") as out:
            done = subprocess.run(  # noqa: S603 - our own command
                [*command, "--out", str(self.folder)], cwd=ROOT, env=environment(), stdout=out, stderr=out, check=False
            )
        if done.returncode:
            raise InvalidInput(f"training failed; Rasa's own last words, all of them in {log}:\n{_tail(log)}")
        (self.folder / "made-from").write_text(made_from)
        self._keep_newest(3)

    def _keep_newest(self, count: int) -> None:
        models = sorted(self.folder.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
        for old in models[:-count]:
            old.unlink()


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def environment() -> dict[str, str]:
    """What Rasa's process needs to find our components and to stay quiet."""
    quiet = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}
    quiet |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")  # more of them only wait for each other
    return {**os.environ, **quiet, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}


def fingerprint() -> str:
    """A hash of everything that the model is made from."""
    digest = hashlib.sha256()
    for name in MADE_FROM:
        path = ROOT / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in (f for f in files if f.is_file() and f.suffix in {".yml", ".py"}):
            digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()
