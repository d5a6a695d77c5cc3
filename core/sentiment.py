"""How a customer's message sounds: the contract; `knowledge/sentiment/model.py` has the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from core.db.models.statuses import Feeling, Urgency


@dataclass(frozen=True)
class Mood:
    feeling: Feeling = "neutral"
    urgency: Urgency = "normal"


LEARNT = ("en", "ur")
"""Languages whose feelings are told; in others a harmless word may sound angry."""


class Sentiment(Protocol):
    """Looks at one message of a customer; called on a thread, so it may compute."""

    def __call__(self, text: str, /) -> Mood | None:
        """How it sounds, where that can be told; it raises nothing."""
        ...


def skip_sentiment(_text: str) -> Mood | None:
    """Without a model nothing is known, and nothing is stored."""
    return None
