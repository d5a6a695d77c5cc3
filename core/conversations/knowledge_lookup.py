"""Look a message up in the knowledge base before a skill may act on it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from sqlalchemy import ColumnElement, and_, not_, or_, select
from sqlalchemy.orm import Session

from core.attachments import in_words
from core.bot.parts import VALUE
from core.db.models import Message, Turn

Level = Literal["exact", "sure", "probable", "unsure", "none"]
"""Exact wording; answered; probably answered; something close; nothing."""
KEY = "knowledge"
"""Key of the match in the metadata of a message for Rasa."""
PATH = "/knowledge/match"
"""Endpoint of ``app`` through which the command line looks a message up."""
HISTORY = 10


@dataclass(frozen=True)
class Asked:
    """A customer's message and its history, oldest first: (customer | bot | agent, text)."""

    tenant_id: str
    conversation_id: str
    turn_id: str
    text: str
    history: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class KnowledgeMatch:
    """How well the knowledge base answers a message."""

    level: Level
    confidence: float

    def metadata(self) -> dict[str, Any]:
        """Return the match as metadata for Rasa."""
        return {KEY: asdict(self)}


class KnowledgeLookup(Protocol):
    """Blocking lookup of a message in the knowledge base."""

    def match(self, asked: Asked) -> KnowledgeMatch | None:
        """Return the match, or None if the knowledge base cannot be reached."""


class NoKnowledge:
    """A lookup without a knowledge base: skills decide alone."""

    def match(self, asked: Asked) -> KnowledgeMatch | None:  # noqa: ARG002
        return None


def history_before(session: Session, turn_id: str, turns: int = HISTORY) -> tuple[tuple[str, str], ...]:
    """Return what was said before the message of a turn, oldest first, as context for a knowledge lookup.

    Of turns that a skill handled, only the customer's requests are included: form values, such as an order number, and
    texts with an e-mail address give a question no context.
    """
    asked = session.scalars(select(Message).join(Turn, Turn.message_id == Message.id).where(Turn.id == turn_id)).first()
    if asked is None:
        return ()
    # Join on the indexed conversation id too; otherwise each message reads all turns.
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
