"""Messages sent before a reply: an apology for a delay, or empathy. They are separate, so the reply itself is unchanged."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.bot.texts import Texts
from core.db.models import Message, Turn
from core.rasa.answer import Reply

LATE = timedelta(hours=1)
"""Delay between sending and receipt from which the bot apologises for the wait."""
UPSET = ("negative", "angry")
MIN_WORDS = 3
"""Shorter messages say too little to tell that the customer is upset."""
_HELPS = ("answered", "suggested")
_ANSWERS = (*_HELPS, "clarified", "unknown")


def build_preamble(session: Session, turn: Turn, outcome: str, texts: Texts) -> tuple[Reply, ...]:
    """Return the messages to send before the reply, if any."""
    asked = session.get_one(Message, turn.message_id)
    return build_delay_apology(session, turn, asked, texts) + _build_empathy_reply(session, asked, outcome, texts)


def build_delay_apology(session: Session, turn: Turn, asked: Message, texts: Texts) -> tuple[Reply, ...]:
    """Return an apology for the wait; one covers everything written before it."""
    if turn.created_at - asked.created_at < LATE or not texts.late:
        return ()
    said = select(Message.id).filter_by(conversation_id=asked.conversation_id, speaker="bot")
    said = said.where(Message.kind == "delay_apology")
    since = session.scalar(said.where(Message.created_at > asked.created_at).limit(1))
    return () if since else (Reply(texts.late, answers=False, kind="delay_apology"),)


def _build_empathy_reply(session: Session, asked: Message, outcome: str, texts: Texts) -> tuple[Reply, ...]:
    """Return an empathy message for an upset customer, but never before two replies in a row."""
    if (
        asked.sentiment not in UPSET
        or len(asked.text.split()) < MIN_WORDS
        or outcome not in (_ANSWERS if asked.sentiment == "angry" else _HELPS)
        or not texts.empathy
        or _said_last(session, asked)
    ):
        return ()
    return (Reply(texts.empathy[asked.seq % len(texts.empathy)], answers=False, kind="empathy"),)


def _said_last(session: Session, asked: Message) -> bool:
    """Whether the previous reply began with an empathy message."""
    earlier = select(Message.seq).filter_by(conversation_id=asked.conversation_id, speaker="customer")
    since = session.scalar(earlier.where(Message.seq < asked.seq).order_by(Message.seq.desc()).limit(1)) or 0
    said = select(Message.id).filter_by(conversation_id=asked.conversation_id, kind="empathy")
    return session.scalar(said.where(Message.seq > since, Message.seq < asked.seq).limit(1)) is not None
