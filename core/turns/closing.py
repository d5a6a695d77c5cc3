"""The end of a conversation: the customer ends it, or nothing is said for a day. A new message opens it again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.db.models import Conversation, now


def close(session: Session, conversation_id: str) -> None:
    """End it, unless it has ended."""
    row = update(Conversation).where(Conversation.id == conversation_id, Conversation.status == "open")
    session.execute(row.values(status="closed", closed_at=now()))


def close_idle(session: Session, at: datetime, after: timedelta) -> int:
    """End those of all tenants in which nothing happened for so long; how many."""
    row = update(Conversation).where(Conversation.status == "open", Conversation.updated_at < at - after)
    closed = session.execute(row.values(status="closed", closed_at=at).returning(Conversation.id))
    return len(closed.all())


def reopen(conversation: Conversation) -> None:
    """Go on with it."""
    conversation.status, conversation.closed_at = "open", None
