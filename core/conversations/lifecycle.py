"""End conversations, on the customer's request or after a day of silence. A new message reopens them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.db.models import Conversation, get_current_time
from core.handoffs.transitions import HandoffEvent, apply_transition, person_has_word


def close_conversation(session: Session, conversation_id: str) -> None:
    """Close a conversation if it is open; staff who own it are told that the customer left."""
    conversation = Conversation.lock(session, conversation_id)
    if conversation is not None and conversation.status == "open":
        _end_conversation(session, conversation, get_current_time())


def close_idle(session: Session, at: datetime, after: timedelta) -> int:
    """Close the conversations of all tenants that were idle for longer than ``after``; return how many."""
    idle = Conversation.status == "open", Conversation.updated_at < at - after
    with_person = session.scalars(select(Conversation.id).where(*idle, Conversation.handoff_id.is_not(None))).all()
    for conversation_id in with_person:
        if conversation := Conversation.lock(session, conversation_id):
            _end_conversation(session, conversation, at)
    row = update(Conversation).where(*idle).values(status="closed", closed_at=at)
    return len(with_person) + len(session.execute(row.returning(Conversation.id)).all())


def _end_conversation(session: Session, conversation: Conversation, at: datetime) -> None:
    if person_has_word(session, conversation):
        apply_transition(session, conversation, HandoffEvent("leave", "customer", "the conversation was ended", at=at))
    conversation.status, conversation.closed_at = "closed", at
    session.flush()


def reopen_conversation(conversation: Conversation) -> None:
    conversation.status, conversation.closed_at = "open", None
