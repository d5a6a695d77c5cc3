"""Measures the shipped NLU pipeline: trained inside Rasa on one file, tested on another."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from core.errors import InvalidInput, Unavailable

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".venv-bot/bin/python"


def measure(train: Path, test: Path, config: Path | None = None, predictions: Path | None = None) -> dict[str, Any]:
    """The figures of ``bot/evaluate.py``; ``predictions`` gets one line a test row.

    Raises:
        Unavailable: the Rasa environment is not set up.
        InvalidInput: a file cannot be used, or Rasa refused it.
    """
    if not PYTHON.exists():
        raise Unavailable("The Rasa environment .venv-bot is missing: run `make setup`.")
    command = [str(PYTHON), "-m", "bot.evaluate", "--train", str(train.resolve()), "--test", str(test.resolve())]
    command += ["--config", str((config or ROOT / "config.yml").resolve())]
    command += ["--predictions", str(predictions.resolve())] if predictions else []
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise InvalidInput(_last_line(done.stderr))
    figures: dict[str, Any] = json.loads(_last_line(done.stdout))
    return figures


def _environment() -> dict[str, str]:
    """One thread for the linear algebra: on vectors this small more of them only wait for each other."""
    quiet = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {**os.environ, **quiet, **single, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip().strip("\x1b[0m")]
    return lines[-1] if lines else "Rasa ended without a word"
