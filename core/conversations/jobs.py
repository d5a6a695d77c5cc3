"""Jobs that the worker runs every few minutes: settle feedback signals and close idle conversations."""

from __future__ import annotations

from datetime import datetime

from core.conversations import lifecycle
from core.db import Database
from core.feedback.settlement import settle_answers
from core.feedback.signals import Similarity
from core.feedback.types import ENDS_AFTER


def settle_all(database: Database, at: datetime, similar: Similarity) -> int:
    """Store the signals of every answer that can be settled by now, in short transactions; return how many."""
    total, after = 0, ""
    while True:
        with database.session() as session:
            settled, after = settle_answers(session, at, after, similar)
        total += settled
        if not after:
            return total


def close_idle(database: Database, at: datetime) -> int:
    """Close every conversation that has been silent for a day; return how many."""
    with database.session() as session:
        return lifecycle.close_idle(session, at, ENDS_AFTER)
