"""Interface for the sentiment of customer messages; the model is in `knowledge/sentiment/model.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from core.db.models.statuses import Feeling, Urgency


@dataclass(frozen=True)
class Mood:
    feeling: Feeling = "neutral"
    urgency: Urgency = "normal"


LEARNT = ("en", "ur")
"""Languages with sentiment classification; in others a harmless word may sound angry."""


class Sentiment(Protocol):
    """Classifies one customer message; called on a thread, so it may block."""

    def __call__(self, text: str, /) -> Mood | None:
        """Return the message's mood, or None if unknown; must not raise."""
        ...


def skip_sentiment(_text: str) -> Mood | None:
    """Return None; used where there is no model."""
    return None
