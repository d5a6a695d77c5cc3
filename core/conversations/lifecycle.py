"""The end of a conversation: the customer ends it, or nothing is said for a day. A new message opens it again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.db.models import Conversation, get_current_time
from core.handoffs.transitions import HandoffEvent, apply_transition, person_has_word


def close_conversation(session: Session, conversation_id: str) -> None:
    """End it, unless it has ended; who was about to answer is told that the customer left."""
    conversation = Conversation.lock(session, conversation_id)
    if conversation is not None and conversation.status == "open":
        _end_conversation(session, conversation, get_current_time())


def close_idle(session: Session, at: datetime, after: timedelta) -> int:
    """End those of all tenants in which nothing happened for so long; how many."""
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
    """Go on with it."""
    conversation.status, conversation.closed_at = "open", None
