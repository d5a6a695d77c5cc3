"""A stored turn: the customer's message, its history, and the reply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.attachments import in_words
from core.conversations.knowledge_lookup import history_before
from core.db.models import Conversation, Message, Turn
from core.errors import NotFound

FIELDS = (
    "status",
    "outcome",
    "confidence",
    "intent",
    "intent_confidence",
    "decision",
    "written_by",
    "entries",
    "groundedness",
    "error",
)
"""Columns of a turn that explain its reply."""


@dataclass(frozen=True)
class TurnRecord:
    id: str
    conversation_id: str
    at: datetime
    text: str
    pressed: bool
    """Whether the customer pressed a button; its payload was handled, not the text."""
    history: tuple[tuple[str, str], ...]
    """(customer | bot | agent, text), oldest first."""
    replies: tuple[str, ...]
    offered: tuple[str, ...]
    """Titles of the buttons below the reply."""
    facts: dict[str, Any]
    """The columns in ``FIELDS``."""


def find_turn(
    session: Session, tenant_id: str, *, turn_id: str | None = None, conversation_id: str | None = None
) -> TurnRecord:
    """Return a turn by its id, or the last turn of a conversation.

    Raises:
        NotFound: the tenant has no such turn or conversation, or the conversation has no turn.
    """
    turn = session.get(Turn, turn_id) if turn_id else _get_last_turn(session, tenant_id, conversation_id or "")
    if turn is None or turn.tenant_id != tenant_id:
        raise NotFound(f"There is no turn {turn_id!r}.")
    asked = session.get_one(Message, turn.message_id)
    said = select(Message).where(Message.turn_id == turn.id, Message.speaker == "bot").order_by(Message.seq)
    replies = session.scalars(said).all()
    return TurnRecord(
        id=turn.id,
        conversation_id=turn.conversation_id,
        at=turn.created_at,
        text=asked.text,
        pressed=bool(asked.payload),
        history=history_before(session, turn.id),
        replies=tuple(in_words(message.text, message.attachments) for message in replies),
        offered=tuple(button["title"] for message in replies for button in message.buttons or ()),
        facts={name: getattr(turn, name) for name in FIELDS},
    )


def _get_last_turn(session: Session, tenant_id: str, conversation_id: str) -> Turn | None:
    named = or_(Conversation.id == conversation_id, Conversation.external_id == conversation_id)
    conversation = session.scalar(select(Conversation).where(Conversation.tenant_id == tenant_id, named))
    if conversation is None:
        raise NotFound(f"There is no conversation {conversation_id!r}.")
    newest = select(Turn).where(Turn.conversation_id == conversation.id).order_by(Turn.id.desc()).limit(1)
    turn = session.scalar(newest)
    if turn is None:
        raise NotFound("Nothing was asked in this conversation.")
    return turn
