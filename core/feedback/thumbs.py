"""Thumbs: one changeable rating per customer and answer, and how often to ask for it."""

from __future__ import annotations

import zlib
from typing import get_args

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.db.models import InteractionFeedback, Message, get_current_time
from core.errors import InvalidInput, NotFound
from core.feedback.types import IMPLICIT, Frequency, Source

ONE_IN = 3
"""With "sometimes", thumbs are offered on one in this many answers."""


def store_rating(
    session: Session,
    conversation_id: str,
    message_id: str,
    *,
    helpful: bool,
    comment: str | None = None,
    source: Source = "widget",
) -> InteractionFeedback:
    """Store or replace the rating of the answer that this message belongs to.

    An unchanged rating keeps its comment unless there is a new one.

    Raises:
        NotFound: the message is not an answer of this conversation.
        InvalidInput: there is no such source.
    """
    if source not in get_args(Source):
        raise InvalidInput(f"The source is one of {', '.join(get_args(Source))}.")
    message = session.get(Message, message_id)
    if message is None or message.conversation_id != conversation_id or message.turn_id is None:
        raise NotFound("There is no such answer.")
    given = get_or_create_feedback(session, message.tenant_id, conversation_id, message.turn_id, message_id)
    if comment or given.helpful is not helpful:
        given.comment = comment or None
    given.helpful, given.source, given.updated_at = helpful, source, get_current_time()
    return given


def get_or_create_feedback(
    session: Session, tenant_id: str, conversation_id: str, turn_id: str, message_id: str
) -> InteractionFeedback:
    """Return the feedback row of a turn, creating it if needed; safe when a rating and the signals job run concurrently."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {
        "tenant_id": tenant_id,
        "conversation_id": conversation_id,
        "turn_id": turn_id,
        "message_id": message_id,
        "source": IMPLICIT,
    }
    session.execute(insert(InteractionFeedback).values(values).on_conflict_do_nothing())
    return session.scalars(select(InteractionFeedback).filter_by(turn_id=turn_id)).one()


def is_offered(frequency: Frequency, turn_id: str) -> bool:
    """Whether the chat shows thumbs on this answer; always the same for one answer."""
    return frequency == "always" or (frequency == "sometimes" and zlib.crc32(turn_id.encode()) % ONE_IN == 0)
