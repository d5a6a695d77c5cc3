"""The question and answer of a turn, and the turns before it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import Message, Turn
from knowledge.types import SPEAKERS, Utterance

TURNS_KEPT = 10


def answer_of(session: Session, turn: Turn) -> str:
    """Return all messages of the bot in a turn."""
    said = session.scalars(select(Message.text).filter_by(turn_id=turn.id).order_by(Message.seq))
    return "\n\n".join(said)


def question_of(session: Session, turn: Turn) -> str:
    """Return the customer's message of a turn."""
    return session.get_one(Message, turn.message_id).text


def list_turns_before(session: Session, turn: Turn) -> tuple[Utterance, ...]:
    """Return the last messages before a turn, oldest first."""
    seq = session.get_one(Message, turn.message_id).seq
    query = select(Message.speaker, Message.text).where(
        Message.conversation_id == turn.conversation_id, Message.seq < seq
    )
    rows = session.execute(query.order_by(Message.seq.desc()).limit(TURNS_KEPT)).all()
    return tuple(Utterance(SPEAKERS[speaker], text) for speaker, text in reversed(rows))
