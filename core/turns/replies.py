"""Reads Rasa's answer: which messages go to the customer, and what is noted with the turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.rasa import RasaItem

NOTE = "rejoinder"
RATEABLE = ("answered", "suggested", "action")
FAILED = "failed"
"""The outcome where the bot could only say that something went wrong."""


@dataclass(frozen=True)
class Reply:
    """One message to the customer."""

    text: str
    buttons: tuple[dict[str, Any], ...] = ()
    sources: tuple[dict[str, Any], ...] = ()
    answers: bool = True
    """False: it only goes before the answer, and is no part of it."""


@dataclass(frozen=True)
class Reading:
    """The messages in order, and the last action's note (empty where only responses were sent)."""

    replies: tuple[Reply, ...] = ()
    note: dict[str, Any] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """How the turn ended."""
        return str(self.note.get("outcome", "action"))

    @property
    def rateable(self) -> bool:
        """Would a thumb on this answer say something? On a greeting it would not."""
        return self.note.get("outcome") in RATEABLE


def read(items: list[RasaItem]) -> Reading:
    """Rasa cuts a text at blank lines into messages; what stands before a note, or at the end, is one message again."""
    replies: list[Reply] = []
    notes: list[dict[str, Any]] = []
    texts: list[str] = []
    buttons: list[dict[str, Any]] = []
    for item in [*items, {"custom": {}}]:
        if "custom" not in item:
            texts.append(item.get("text") or item.get("image") or "")
            buttons += item.get("buttons") or []
            continue
        note = item["custom"].get(NOTE, {})
        if any(texts):
            replies.append(Reply("\n\n".join(filter(None, texts)), tuple(buttons), tuple(note.get("sources", ()))))
        notes += [note] if note else []
        texts, buttons = [], []
    return Reading(tuple(replies), _best(notes))


def understanding(latest: dict[str, Any]) -> dict[str, Any]:
    """What is noted of how Rasa understood a message; ``latest`` as its tracker has it."""
    intent = latest.get("intent") or {}
    found = {"intent": intent.get("name"), "confidence": intent.get("confidence"), "nlu_ms": latest.get("nlu_ms")}
    return found | ({"decision": latest["decision"]} if latest.get("decision") else {})


def _best(notes: list[dict[str, Any]]) -> dict[str, Any]:
    """The note that says most: a failure; else a question answered in the middle of a form, not the form's next question."""
    return min(notes, key=lambda note: (note.get("outcome") != FAILED, note.get("outcome") == "action"), default={})
