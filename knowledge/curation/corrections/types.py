"""The words of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from knowledge.types import Utterance

Category = Literal["wrong_fact", "outdated", "incomplete", "tone", "wrong_intent", "should_have_handed_over", "policy"]
EntryAction = Literal["amend", "retire", "keep"]
Status = Literal["proposed", "approved", "rejected", "undone"]
Served = Literal["new", "old", "other", "unknown", "unavailable"]
"""What a question gets now: the corrected answer, the wrong one, another one, an honest no, or nothing could be asked."""

MISUNDERSTOOD: tuple[Category, ...] = ("wrong_intent", "should_have_handed_over")
"""The message was understood wrongly, so a right intent is learnt, and there may be no answer to publish."""
BEST_QUALITY = 5
LONGEST = 10_000


@dataclass(frozen=True)
class Proposal:
    """What a person would have answered; about a stored answer, or about a question and an answer in words."""

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
    """The entry that misled; else the first that went into the answer."""
    entry_action: EntryAction | None = None
    """None: amend it, or keep it where only the message was misunderstood."""


@dataclass(frozen=True)
class Subject:
    question: str
    bot_answer: str
    conversation_id: str | None = None
    turn_id: str | None = None
    entry_id: str | None = None


@dataclass(frozen=True)
class Again:
    """A question that is asked again after a correction."""

    text: str
    kind: Literal["asked", "phrasing", "past"]
    history: tuple[Utterance, ...] = ()
