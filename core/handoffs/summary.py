"""Handoff summary for staff: the customer's question, what the bot tried, and the sources of its answers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import Message, Turn

LOOKED_BACK = 30
LONGEST = 160
_TRIED = {
    "answered": "answered",
    "suggested": "answered, though unsure",
    "clarified": "asked back",
    "unknown": "did not know",
    "handoff": "offered a person",
    "action": "did a task or asked for details",
}


@dataclass(frozen=True)
class ConversationSummary:
    """Summary lines, and the sources of the bot's last answers."""

    text: str
    sources: tuple[dict[str, str | None], ...]


def summarise_conversation(session: Session, conversation_id: str) -> ConversationSummary:
    """Summarise a conversation by its first question, its last message and what the bot tried."""
    query = select(Message).filter_by(conversation_id=conversation_id).order_by(Message.seq.desc()).limit(LOOKED_BACK)
    messages = session.scalars(query).all()[::-1]
    asked = [message.text for message in messages if message.speaker == "customer"]
    outcomes = session.scalars(
        select(Turn.outcome)
        .where(Turn.conversation_id == conversation_id, Turn.outcome.is_not(None))
        .order_by(Turn.id.desc())
        .limit(LOOKED_BACK)
    ).all()[::-1]
    lines = [f"First: “{_shorten_text(asked[0])}”"] if asked else []
    if len(asked) > 1:
        lines.append(f"Last: “{_shorten_text(asked[-1])}”")
    if outcomes:
        tried = dict.fromkeys(_TRIED.get(outcome or "", "") for outcome in outcomes)
        lines.append(f"The bot {', '.join(filter(None, tried))}.")
    given = [source for message in messages if message.speaker == "bot" for source in message.sources]
    sources = {source.get("title"): source for source in given}
    return ConversationSummary("\n".join(lines), tuple(list(sources.values())[-3:]))


def _shorten_text(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rsplit(' ', 1)[0]} …"
