"""What the knowledge has for a message, looked up before a skill may act on it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from sqlalchemy import ColumnElement, and_, not_, or_, select
from sqlalchemy.orm import Session

from core.attachments import in_words
from core.bot.parts import VALUE
from core.db.models import Message, Turn

Level = Literal["exact", "sure", "probable", "unsure", "none"]
"""Asked in its own words; answered; probably answered; something near; nothing."""
KEY = "knowledge"
"""Where the message's metadata for Rasa has it."""
PATH = "/knowledge/match"
"""The door of ``app`` by which the command line has a message looked up."""
HISTORY = 10


@dataclass(frozen=True)
class Asked:
    """A customer's message with the turns before it, oldest first: (customer | bot | agent, text)."""

    tenant_id: str
    conversation_id: str
    turn_id: str
    text: str
    history: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class KnowledgeMatch:
    """How well the knowledge answers a message."""

    level: Level
    confidence: float

    def metadata(self) -> dict[str, Any]:
        """As Rasa is told it."""
        return {KEY: asdict(self)}


class KnowledgeLookup(Protocol):
    """Looks a message up; blocks."""

    def match(self, asked: Asked) -> KnowledgeMatch | None:
        """None where the knowledge cannot be reached."""


class NoKnowledge:
    """Knows nothing of anything: skills decide alone."""

    def match(self, asked: Asked) -> KnowledgeMatch | None:  # noqa: ARG002
        return None


def history_before(session: Session, turn_id: str, turns: int = HISTORY) -> tuple[tuple[str, str], ...]:
    """What was said before the message of a turn, oldest first, as far as a question to the knowledge may lean on it.

    Of the turns that a skill took that is what the customer wanted; what a form asked for, and an order number or an
    e-mail address, is nothing that a question could be about.
    """
    asked = session.scalars(select(Message).join(Turn, Turn.message_id == Message.id).where(Turn.id == turn_id)).first()
    if asked is None:
        return ()
    # The conversation is named too, since it has an index: else all turns are read for each message.
    of_turn = (Turn.conversation_id == Message.conversation_id) & or_(
        Turn.message_id == Message.id, Turn.id == Message.turn_id
    )
    query = (
        select(Message.speaker, Message.text, Message.attachments)
        .outerjoin(Turn, of_turn)
        .where(Message.conversation_id == asked.conversation_id, Message.seq < asked.seq)
        .where(or_(Turn.outcome.is_(None), Turn.outcome != "action", _wants_something()))
    )
    rows = session.execute(query.order_by(Message.seq.desc()).limit(turns)).all()
    return tuple((speaker, in_words(text, attachments)) for speaker, text, attachments in reversed(rows))


def _wants_something() -> ColumnElement[bool]:
    return and_(Message.speaker == "customer", Turn.intent != VALUE, not_(Message.text.contains("@")))
