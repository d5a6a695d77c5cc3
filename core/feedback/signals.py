"""Signals from a customer's behaviour after an answer, and the satisfaction they suggest; see docs/feedback.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

PERSON_INTENTS = frozenset({"talk_to_person", "complaint"})
PERSON_OUTCOME = "handoff"
LEFT_UNDONE = frozenset({"stop", "deny"})
"""Intents that end a task before it is done."""
HASTY_SECONDS = 3.0
"""A reply within fewer seconds means that the answer was not read."""
SAME = 0.65
"""Minimum similarity at which two questions count as rephrasings."""
SAME_ENTRIES = 0.5
"""The same, where both were answered from the same entry."""

START = 0.5
WEIGHTS = {"completed": 0.4, "continued": 0.2, "not completed": -0.2, "hasty": -0.1, "rephrased": -0.35, "person": -0.4}

Similarity = Callable[[str, str], float]
"""Returns the similarity in meaning of two texts, 0 to 1."""


@dataclass(frozen=True)
class SignalTurn:
    """The parts of a turn that the signals need."""

    text: str
    intent: str | None
    outcome: str | None
    entries: frozenset[str] = frozenset()
    pressed: bool = False
    """Whether it was a pressed button, so not in the customer's own words."""


@dataclass(frozen=True)
class BehaviourSignals:
    """The customer's observed behaviour after an answer."""

    continued: bool
    completed: bool | None
    asked_for_person: bool
    rephrased: bool
    left: bool
    response_seconds: float | None

    @property
    def score(self) -> float:
        """0 to 1: START plus the weight of each signal."""
        hasty = self.response_seconds is not None and self.response_seconds < HASTY_SECONDS
        seen = {
            "completed": self.completed is True,
            "not completed": self.completed is False,
            "continued": self.continued,
            "rephrased": self.rephrased,
            "person": self.asked_for_person,
            "hasty": hasty,
        }
        total = START + sum(WEIGHTS[name] for name, there in seen.items() if there)
        return round(min(1.0, max(0.0, total)), 3)


def signals_of(
    turn: SignalTurn, following: SignalTurn | None, seconds: float | None, similar: Similarity
) -> BehaviourSignals:
    """Compute the signals from an answered turn and the following one, if any."""
    person = following is not None and (following.intent in PERSON_INTENTS or following.outcome == PERSON_OUTCOME)
    rephrased = following is not None and not person and _is_rephrased(turn, following, similar)
    return BehaviourSignals(
        continued=following is not None and not person and not rephrased,
        completed=turn.intent not in LEFT_UNDONE if turn.outcome == "action" else None,
        asked_for_person=person,
        rephrased=rephrased,
        left=following is None,
        response_seconds=seconds,
    )


def _is_rephrased(turn: SignalTurn, following: SignalTurn, similar: Similarity) -> bool:
    if following.pressed:
        return False
    same_entries = bool(turn.entries & following.entries)
    return similar(turn.text, following.text) >= (SAME_ENTRIES if same_entries else SAME)


def shared_words(one: str, other: str) -> float:
    """Return the number of shared words (three letters or more) as a share of the shorter text's words."""
    words, others = (set(re.findall(r"\w{3,}", text.lower())) for text in (one, other))
    smaller = min(len(words), len(others))
    return len(words & others) / smaller if smaller else float(one.strip().lower() == other.strip().lower())
