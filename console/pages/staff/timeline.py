"""Timeline of a conversation: messages, notes of staff, and handoff events, in order."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import (
    Conversation,
    Delivery,
    Handoff,
    HandoffNote,
    HandoffTransition,
    HumanCorrection,
    InteractionFeedback,
    Message,
    Turn,
)

WAY = {"queued": "waiting", "sending": "waiting", "sent": "sent", "delivered": "delivered", "read": "read"}
WAY |= {"failed": "failed", "dead": "failed"}
EVENTS = {
    "request": "The customer waits for a person",
    "take_over": "Taken over by {by}",
    "claim": "Taken by {by}",
    "remind": "A reminder was sent",
    "escalate": "The next on call was called",
    "time_out": "Nobody came in time; the bot went on",
    "unattended": "Nobody was there; the bot went on",
    "leave_contact": "The customer left an address",
    "give_back": "Given back to the bot by {by}",
    "close": "Closed by {by}",
    "leave": "The customer left",
}
"""Handoff events that the timeline shows; the others need no line of their own."""


@dataclass(frozen=True)
class TimelineItem:
    """An item of the timeline; ``kind`` determines which of the other fields are set."""

    kind: str
    """message, note or event"""
    id: str
    at: datetime
    by: str
    """Speaker of a message; otherwise a member of staff."""
    text: str
    message: Message | None = None
    turn: Turn | None = None
    """Set on the last message of an answer."""
    way: str | None = None
    """Delivery state of a message from staff: waiting, sent, delivered, read or failed."""
    lost: str | None = None
    """Why the delivery failed."""
    helpful: bool | None = None
    corrections: tuple[HumanCorrection, ...] = ()


@dataclass(frozen=True)
class Timeline:
    """The items of a conversation, or of a part of it."""

    items: list[TimelineItem]
    whole: bool
    """False if only the first or the last messages are included."""


def load_timeline(session: Session, conversation: Conversation, most: int, *, newest: bool = False) -> Timeline:
    """Load the first or newest ``most`` messages, with the notes and handoff events between them."""
    order = Message.seq.desc() if newest else Message.seq
    said = select(Message).where(Message.conversation_id == conversation.id).order_by(order).limit(most)
    messages = sorted(session.scalars(said), key=lambda message: message.seq)
    whole = len(messages) == conversation.last_seq
    beside = [*_load_notes(session, conversation.id), *_load_handoff_events(session, conversation.id)]
    if not whole and messages:
        beside = [each for each in beside if messages[0].created_at <= each.at <= messages[-1].created_at]
    items = [*_build_message_items(session, conversation.id, messages), *beside]
    return Timeline(sorted(items, key=lambda item: item.at), whole)


def _build_message_items(session: Session, conversation_id: str, messages: list[Message]) -> list[TimelineItem]:
    turns = {t.id: t for t in session.scalars(select(Turn).filter_by(conversation_id=conversation_id))}
    last_of = {message.turn_id: message.id for message in messages if message.turn_id}
    corrections: dict[str, list[HumanCorrection]] = defaultdict(list)
    for each in session.scalars(select(HumanCorrection).filter_by(conversation_id=conversation_id)):
        corrections[each.turn_id or ""].append(each)
    thumbs = select(InteractionFeedback.turn_id, InteractionFeedback.helpful)
    helpful = dict(session.execute(thumbs.filter_by(conversation_id=conversation_id)).all())
    ways = _load_delivery_states(session, conversation_id)

    def to_timeline_item(message: Message) -> TimelineItem:
        turn = turns.get(message.turn_id or "") if last_of.get(message.turn_id or "") == message.id else None
        more: dict[str, Any] = {}
        if turn:
            more = {"turn": turn, "helpful": helpful.get(turn.id), "corrections": tuple(corrections[turn.id])}
        if message.speaker == "agent":
            more["way"], more["lost"] = ways.get(message.id, (None, None))
        return TimelineItem(
            "message", message.id, message.created_at, message.speaker, message.text, message=message, **more
        )  # fmt: skip

    return [to_timeline_item(message) for message in messages]


def _load_delivery_states(session: Session, conversation_id: str) -> dict[str, tuple[str, str | None]]:
    row = Delivery
    out = select(row.message_id, row.state, row.error).where(
        row.conversation_id == conversation_id, row.kind == "message", row.handoff_id.is_(None)
    )
    return {id_: (WAY.get(state, state), error) for id_, state, error in session.execute(out.order_by(row.seq)) if id_}


def _load_notes(session: Session, conversation_id: str) -> list[TimelineItem]:
    rows = select(HandoffNote).join(Handoff, Handoff.id == HandoffNote.handoff_id)
    notes = session.scalars(rows.where(Handoff.conversation_id == conversation_id))
    return [TimelineItem("note", note.id, note.at, note.by, note.text) for note in notes]


def _load_handoff_events(session: Session, conversation_id: str) -> list[TimelineItem]:
    rows = select(HandoffTransition).join(Handoff, Handoff.id == HandoffTransition.handoff_id)
    shown = rows.where(Handoff.conversation_id == conversation_id, HandoffTransition.event.in_(EVENTS))
    return [TimelineItem("event", row.id, row.at, row.by, _format_transition(row)) for row in session.scalars(shown)]


def _format_transition(row: HandoffTransition) -> str:
    said = EVENTS[row.event].format(by=row.by)
    why = row.cause.strip() if row.event in {"request", "escalate", "leave_contact"} else ""
    return f"{said}: {why}" if why else said
