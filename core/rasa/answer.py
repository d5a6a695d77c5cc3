"""Parse Rasa's answer into messages for the customer and a note for the turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, cast

from core.db.models.statuses import MessageKind, Outcome
from core.rasa import RasaItem
from core.rasa.rich_content import NOTE, build_rich_content

RATEABLE = ("answered", "suggested", "action")
FAILED: Final = "failed"
"""The outcome when the bot could only say that something went wrong."""


@dataclass(frozen=True)
class Reply:
    """One message to the customer."""

    text: str
    buttons: tuple[dict[str, Any], ...] = ()
    """Choices with title and payload."""
    sources: tuple[dict[str, Any], ...] = ()
    attachments: tuple[dict[str, Any], ...] = ()
    """See ``core.attachments`` for the format."""
    answers: bool = True
    """False for a message that precedes the answer and is not part of it."""
    kind: MessageKind | None = None


@dataclass(frozen=True)
class RasaAnswer:
    """The messages in order, and the note for the turn (empty if only responses were sent)."""

    replies: tuple[Reply, ...] = ()
    note: dict[str, Any] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """The outcome of the turn; "action" if the note has none."""
        return cast("Outcome", self.note.get("outcome", "action"))

    @property
    def rateable(self) -> bool:
        """Whether a rating of this answer is meaningful; for a greeting it is not."""
        return self.note.get("outcome") in RATEABLE


def parse_rasa_answer(items: list[RasaItem]) -> RasaAnswer:
    """Return one message per utterance that has content, and the note for the turn; a failure is reported once."""
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
    """Merge items that belong to one utterance.

    Our own channel sends utterances whole. Rasa's splits texts at blank lines, and sends a note apart from its text. An
    item whose note has ``continues`` is merged with the next one.
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
    """Return the names of the fields that have content."""
    return {name for name, value in item.items() if value} - {"recipient_id"}


def _extract_note(item: RasaItem) -> dict[str, Any]:
    custom = item.get("custom")
    note = custom.get(NOTE) if isinstance(custom, dict) else None
    return note if isinstance(note, dict) else {}


def extract_understanding(latest: dict[str, Any]) -> dict[str, Any]:
    """Return how Rasa understood a message; ``latest`` is the tracker's latest message."""
    intent = latest.get("intent") or {}
    found = {"intent": intent.get("name"), "confidence": intent.get("confidence"), "nlu_ms": latest.get("nlu_ms")}
    return found | ({"decision": latest["decision"]} if latest.get("decision") else {})


def _choose_best_note(notes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the most informative note: a failure, or else an answer given during a form rather than the form's next question."""
    return min(notes, key=lambda note: (note.get("outcome") != FAILED, note.get("outcome") == "action"), default={})
