"""Evaluates a recipe on messages that it was not trained on, and a given model on given messages.

Run ``python -m bot.held_back --data ROWS --test ROWS --config FILE --model FILE --cases ROWS --out FILE`` in the bot
environment. Each message of ``--test`` is parsed by a model trained on ``--data`` without the message's fold. The fold is a hash of
the message, so two runs with different data hold back the same messages. ``--cases`` are parsed by ``--model`` itself.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import logging
import tempfile
from pathlib import Path
from typing import Any, Dict, List

from rasa.core.agent import Agent
from rasa.utils.log_utils import configure_structlog

from bot.evaluate import Row, parse_rows, read_labelled_rows, train_agent

FOLDS = 4
MANY = 4000
"""From this number of test rows, one fold is enough."""


def main() -> None:
    """Parse the arguments and write the predictions."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "test", "config", "model", "cases", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    configure_structlog(logging.WARNING)
    logging.getLogger().setLevel(logging.WARNING)
    found = {
        "held_back": held_back(read_labelled_rows(given.data), read_labelled_rows(given.test), given.config),
        "cases": _predict_rows(Agent.load(str(given.model)), read_labelled_rows(given.cases))
        if given.cases.stat().st_size
        else [],
    }
    given.out.write_text(json.dumps(found), encoding="utf-8")


def held_back(data: List[Row], test: List[Row], config: Path) -> List[Dict[str, Any]]:
    """Return a prediction for each test row, by a model that has not seen it."""
    predictions: List[Dict[str, Any]] = []
    for number in range(FOLDS if len(test) < MANY else 1):
        asked = [row for row in test if compute_fold(row[0]) == number]
        seen = [row for row in data if compute_fold(row[0]) != number]
        if asked:
            with tempfile.TemporaryDirectory() as folder:
                predictions += _predict_rows(train_agent(seen, config, Path(folder)), asked)
    return predictions


def compute_fold(text: str) -> int:
    """Return the fold of a text, the same for texts that the bot cannot tell apart."""
    plain = " ".join(text.casefold().split())
    return hashlib.sha256(plain.encode()).digest()[0] % FOLDS


def _predict_rows(agent: Agent, rows: List[Row]) -> List[Dict[str, Any]]:
    return asyncio.run(parse_rows(agent, rows))[0]


if __name__ == "__main__":
    main()
