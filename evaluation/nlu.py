"""Evaluate the shipped NLU pipeline: train it in Rasa on one file and test it on another."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from core.bot.parts import BASE_CONFIG
from core.errors import InvalidInput, Unavailable
from evaluation.training.rasa import build_rasa_environment

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".venv-bot/bin/python"


def evaluate_nlu(
    train: Path,
    test: Path,
    config: Path | None = None,
    predictions: Path | None = None,
    project: Path | None = None,
) -> dict[str, Any]:
    """Return the figures of ``bot/evaluate.py``; one line per test row goes to ``predictions``.

    ``project`` may have components of its own.

    Raises:
        Unavailable: the Rasa environment is not set up.
        InvalidInput: a file cannot be used, or Rasa rejected it.
    """
    if not PYTHON.exists():
        raise Unavailable("The Rasa environment .venv-bot is missing: run `make setup`.")
    command = [str(PYTHON), "-m", "bot.evaluate", "--train", str(train.resolve()), "--test", str(test.resolve())]
    command += ["--config", str((config or BASE_CONFIG).resolve())]
    command += ["--predictions", str(predictions.resolve())] if predictions else []
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, env=build_rasa_environment(project), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise InvalidInput(_last_line(done.stderr))
    figures: dict[str, Any] = json.loads(_last_line(done.stdout))
    return figures


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip().strip("\x1b[0m")]
    return lines[-1] if lines else "Rasa ended without a word"
