"""Computes the implicit signals of answers once the customer wrote again or was silent for long enough."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session
from ulid import ULID

from core.db.models import Conversation, InteractionFeedback, Message, Turn
from core.feedback.signals import SignalTurn, Similarity, shared_words, signals_of
from core.feedback.thumbs import get_or_create_feedback
from core.feedback.types import IDLE

LOOKED_BACK = timedelta(days=30)
AT_ONCE = 200


def settle_answers(
    session: Session, at: datetime, after: str = "", similar: Similarity = shared_words
) -> tuple[int, str]:
    """Store the signals of up to ``AT_ONCE`` answers of all tenants.

    Returns how many were stored, and the turn id to continue after ("" when done).
    """
    turns = _open_turns(session, max(after, str(ULID.from_datetime(at - LOOKED_BACK))))
    settled = sum(_settle_answer(session, turn, at, similar) for turn in turns)
    return settled, turns[-1].id if len(turns) == AT_ONCE else ""


def _open_turns(session: Session, after: str) -> list[Turn]:
    """Return answers without signals, and answers marked as left after which a customer message has arrived."""
    came = exists().where(
        Message.conversation_id == Turn.conversation_id,
        Message.speaker == "customer",
        Message.created_at > Turn.answered_at,
    )
    row = InteractionFeedback
    query = (
        select(Turn)
        .outerjoin(row, row.turn_id == Turn.id)
        .where(Turn.id > after, Turn.rateable, Turn.status == "answered")
        .where(or_(row.implicit_score.is_(None), row.left & came))
    )
    return list(session.scalars(query.order_by(Turn.id).limit(AT_ONCE)))


def _settle_answer(session: Session, turn: Turn, at: datetime, similar: Similarity) -> bool:
    asked = session.get_one(Message, turn.message_id)
    answer = session.scalar(select(Message).filter_by(turn_id=turn.id).order_by(Message.seq.desc()).limit(1))
    if answer is None or turn.answered_at is None:
        return False
    later = _find_next_turn(session, turn, answer.seq)
    if later is not None and later[1].status == "waiting":
        return False
    if later is None and not _is_conversation_over(session, turn.conversation_id, at):
        return False
    seconds = (later[0].created_at - turn.answered_at).total_seconds() if later else None
    found = signals_of(_build_question(asked, turn), _build_question(*later) if later else None, seconds, similar)
    row = get_or_create_feedback(session, turn.tenant_id, turn.conversation_id, turn.id, answer.id)
    for name, value in asdict(found).items():
        setattr(row, name, value)
    row.implicit_score = found.score
    return True


def _find_next_turn(session: Session, turn: Turn, seq: int) -> tuple[Message, Turn] | None:
    row = session.execute(
        select(Message, Turn)
        .join(Turn, Turn.message_id == Message.id)
        .where(Message.conversation_id == turn.conversation_id, Message.seq > seq)
        .order_by(Message.seq)
        .limit(1)
    ).first()
    return (row[0], row[1]) if row else None


def _is_conversation_over(session: Session, conversation_id: str, at: datetime) -> bool:
    conversation = session.get_one(Conversation, conversation_id)
    return conversation.status == "closed" or is_conversation_idle(session, conversation, at)


def is_conversation_idle(session: Session, conversation: Conversation, at: datetime) -> bool:
    """Whether the last message is old enough for the conversation to count as over."""
    last = session.scalar(
        select(Message.created_at).filter_by(conversation_id=conversation.id).order_by(Message.seq.desc()).limit(1)
    )
    return last is not None and at - last >= IDLE


def _build_question(message: Message, turn: Turn) -> SignalTurn:
    entries = frozenset(str(entry["id"]) for entry in turn.entries)
    return SignalTurn(message.text, turn.intent, turn.outcome, entries, pressed=message.payload is not None)
