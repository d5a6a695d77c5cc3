"""A sentence of understanding before an answer to somebody who is upset: a message of its own, so the answer stays as it is."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import Message, Turn
from core.texts import Texts
from core.turns.replies import Reply

UPSET = ("negative", "angry")
_ANSWERS = ("answered", "clarified", "unknown")


def opening(session: Session, turn: Turn, outcome: str, texts: Texts) -> tuple[Reply, ...]:
    """What is said first, if anything: never before two answers in a row."""
    asked = session.get_one(Message, turn.message_id)
    if (
        asked.sentiment not in UPSET
        or outcome not in _ANSWERS
        or not texts.empathy
        or _said_last(session, asked, texts)
    ):
        return ()
    fitting = texts.empathy_ur if texts.empathy_ur and _is_urdu(asked.text) else texts.empathy
    return (Reply(fitting[asked.seq % len(fitting)], answers=False),)


def _said_last(session: Session, asked: Message, texts: Texts) -> bool:
    """Did the answer before begin like that?"""
    earlier = select(Message.seq).filter_by(conversation_id=asked.conversation_id, speaker="customer")
    since = session.scalar(earlier.where(Message.seq < asked.seq).order_by(Message.seq.desc()).limit(1)) or 0
    said = select(Message.text).filter_by(conversation_id=asked.conversation_id, speaker="bot")
    between = session.scalars(said.where(Message.seq > since, Message.seq < asked.seq))
    return not {*texts.empathy, *texts.empathy_ur}.isdisjoint(between)


def _is_urdu(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return sum("\u0600" <= letter <= "\u06ff" for letter in letters) * 2 > len(letters)
