"""Reads Rasa's answer: which messages go to the customer, and what is noted with the turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, cast

from core.db.models.statuses import MessageKind, Outcome
from core.rasa import RasaItem
from core.rasa.rich_content import NOTE, build_rich_content

RATEABLE = ("answered", "suggested", "action")
FAILED: Final = "failed"
"""The outcome where the bot could only say that something went wrong."""


@dataclass(frozen=True)
class Reply:
    """One message to the customer."""

    text: str
    buttons: tuple[dict[str, Any], ...] = ()
    """Choices: title, payload."""
    sources: tuple[dict[str, Any], ...] = ()
    attachments: tuple[dict[str, Any], ...] = ()
    """As ``core.attachments`` says."""
    answers: bool = True
    """False: it only goes before the answer, and is no part of it."""
    kind: MessageKind | None = None


@dataclass(frozen=True)
class RasaAnswer:
    """The messages in order, and the last action's note (empty where only responses were sent)."""

    replies: tuple[Reply, ...] = ()
    note: dict[str, Any] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """How the turn ended."""
        return cast("Outcome", self.note.get("outcome", "action"))

    @property
    def rateable(self) -> bool:
        """Would a thumb on this answer say something? On a greeting it would not."""
        return self.note.get("outcome") in RATEABLE


def parse_rasa_answer(items: list[RasaItem]) -> RasaAnswer:
    """The messages, one for each utterance that has something to show, and what is noted of them; a failure is said once."""
    replies: list[Reply] = []
    notes: list[dict[str, Any]] = []
    for item in _merge_utterances(items):
        note = _extract_note(item)
        notes += [note] if note else []
        rich = build_rich_content(item)
        text = str(item.get("text") or "").strip()
        again = note.get("outcome") == FAILED and any(reply.text == text for reply in replies)
        if (text or rich.choices or rich.attachments) and not again:
            replies.append(Reply(text, rich.choices, tuple(note.get("sources", ())), rich.attachments))
    return RasaAnswer(tuple(replies), _choose_best_note(notes))


def _merge_utterances(items: list[RasaItem]) -> list[RasaItem]:
    """Our own channel gives each whole. Rasa's cuts texts at blank lines, and gives a note apart from its text.

    What an action of ours has begun goes on with what comes next.
    """
    utterances: list[RasaItem] = []
    for item in items:
        last = utterances[-1] if utterances else {}
        if _goes_with(last, item):
            texts = [text for text in (last.get("text"), item.get("text")) if text]
            utterances[-1] = {**last, **item, "text": "\n\n".join(texts)}
        else:
            utterances.append(item)
    return utterances


def _goes_with(last: RasaItem, item: RasaItem) -> bool:
    if _extract_note(last).get("continues"):
        return True
    if not last or "custom" in last or "whole" in last or "whole" in item:
        return False
    return (_get_item_fields(item) == {"custom"} and bool(_extract_note(item))) or _get_item_fields(
        last
    ) == _get_item_fields(item) == {"text"}


def _get_item_fields(item: RasaItem) -> set[str]:
    """What it has in it."""
    return {name for name, value in item.items() if value} - {"recipient_id"}


def _extract_note(item: RasaItem) -> dict[str, Any]:
    custom = item.get("custom")
    note = custom.get(NOTE) if isinstance(custom, dict) else None
    return note if isinstance(note, dict) else {}


def extract_understanding(latest: dict[str, Any]) -> dict[str, Any]:
    """What is noted of how Rasa understood a message; ``latest`` as its tracker has it."""
    intent = latest.get("intent") or {}
    found = {"intent": intent.get("name"), "confidence": intent.get("confidence"), "nlu_ms": latest.get("nlu_ms")}
    return found | ({"decision": latest["decision"]} if latest.get("decision") else {})


def _choose_best_note(notes: list[dict[str, Any]]) -> dict[str, Any]:
    """The note that says most: a failure; else a question answered in the middle of a form, not the form's next question."""
    return min(notes, key=lambda note: (note.get("outcome") != FAILED, note.get("outcome") == "action"), default={})
