"""Data types of corrections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from knowledge.types import Utterance

Category = Literal["wrong_fact", "outdated", "incomplete", "tone", "wrong_intent", "should_have_handed_over", "policy"]
EntryAction = Literal["amend", "retire", "keep"]
Status = Literal["proposed", "approved", "rejected", "undone"]
Served = Literal["new", "old", "other", "unknown", "unavailable"]
"""The answer that a question gets now: the corrected, the wrong or another one, none, or the index was unavailable."""

MISUNDERSTOOD: tuple[Category, ...] = ("wrong_intent", "should_have_handed_over")
"""Categories in which the message was misunderstood: the right intent is learnt, an answer is optional."""
BEST_QUALITY = 5
LONGEST = 10_000


@dataclass(frozen=True)
class Proposal:
    """A better answer by staff, for a stored answer or for a question and answer given as text."""

    answer: str
    category: Category
    author: str
    turn_id: str | None = None
    message_id: str | None = None
    """Any message of the bot's answer."""
    question: str | None = None
    bot_answer: str | None = None
    reason: str = ""
    quality: int | None = None
    intent: str | None = None
    entry_id: str | None = None
    """The misleading entry; defaults to the one with the highest score in the answer."""
    entry_action: EntryAction | None = None
    """None amends the entry, or keeps it if only the message was misunderstood."""


@dataclass(frozen=True)
class Subject:
    question: str
    bot_answer: str
    conversation_id: str | None = None
    turn_id: str | None = None
    entry_id: str | None = None


@dataclass(frozen=True)
class Again:
    """A question to ask again after a correction."""

    text: str
    kind: Literal["asked", "phrasing", "past"]
    history: tuple[Utterance, ...] = ()
