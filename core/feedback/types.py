"""Types and constants for feedback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, String, cast

from core.db.models import InteractionFeedback, Turn

Source = Literal["widget", "api", "link", "whatsapp", "sms", "staff"]
"""Where a rating came from."""
Frequency = Literal["always", "sometimes", "never"]
"""How often the chat offers thumbs."""
IMPLICIT = "implicit"
"""The source of feedback without a rating."""
IDLE = timedelta(minutes=30)
"""Silence after which a conversation counts as over for now."""
ENDS_AFTER = timedelta(hours=24)
"""Silence after which a conversation is closed."""


@dataclass(frozen=True)
class FeedbackFilter:
    """Selects feedback; every field that is set must match."""

    start: datetime | None = None
    end: datetime | None = None
    helpful: bool | None = None
    commented: bool | None = None
    source: str | None = None
    channel: str | None = None
    intent: str | None = None
    entry: str | None = None
    """Id of an entry that the answer used."""
    conversation_id: str | None = None

    def conditions(self, tenant_id: str) -> list[ColumnElement[bool]]:
        """Return SQL conditions over feedback joined with turns."""
        row = InteractionFeedback
        tests: dict[str, Callable[[Any], ColumnElement[bool]]] = {
            "start": lambda start: row.created_at >= start,
            "end": lambda end: row.created_at < end,
            "helpful": lambda helpful: row.helpful == helpful,
            "commented": lambda commented: row.comment.is_not(None) if commented else row.comment.is_(None),
            "source": lambda source: row.source == source,
            "channel": lambda channel: Turn.channel == channel,
            "intent": lambda intent: Turn.intent == intent,
            "entry": match_used_entry,
            "conversation_id": lambda conversation_id: row.conversation_id == conversation_id,
        }
        wanted = {name: value for name, value in vars(self).items() if value is not None}
        return [row.tenant_id == tenant_id, *(tests[name](value) for name, value in wanted.items())]


def match_used_entry(entry_id: str) -> ColumnElement[bool]:
    """Match turns whose answer used an entry."""
    return cast(Turn.entries, String).contains(f'"{entry_id}"', autoescape=True)
