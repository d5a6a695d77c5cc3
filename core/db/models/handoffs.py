"""A person takes over: handoffs, every change of their state, and the desks' threads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db.models.base import Base, SettingsRow, get_current_time
from core.db.models.statuses import Feeling, HandoffState, Urgency


class Handoff(Base):
    """One time that a conversation goes to a person; ``core.handoffs`` alone changes its state."""

    __tablename__ = "handoffs"
    __table_args__ = (Index("ix_handoffs_state", "tenant_id", "state"),)

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    state: Mapped[HandoffState] = mapped_column(String(16), default="requested")
    trigger: Mapped[str] = mapped_column(String(24))
    """asked, unknown, not_helpful, sentiment, risky_topic, low_confidence, promised, vip or taken_over"""
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why the bot stopped, for a person to read."""
    urgency: Mapped[Urgency] = mapped_column(String(8), default="normal")
    sentiment: Mapped[Feeling] = mapped_column(String(8), default="neutral")
    summary: Mapped[str] = mapped_column(Text, default="")
    sources: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"title", "url"}]: what the bot's last answers came from."""
    contact: Mapped[str | None] = mapped_column(String(200), default=None)
    """An e-mail address or number that the customer left while nobody was there."""
    claimed_by: Mapped[str | None] = mapped_column(String(200), default=None)
    """Who handles it: an e-mail address of ours, or a name as the desk knows it."""
    resolved: Mapped[bool | None] = mapped_column(default=None)
    """Said by who closed it."""
    from_seq: Mapped[int]
    """The last message before it; the bot says nothing after it while a person has the word."""
    recorded_seq: Mapped[int]
    """Up to which message the bot's tracker knows what was said."""
    last_transition: Mapped[int] = mapped_column(default=0)
    escalations: Mapped[int] = mapped_column(default=0)
    """How many of the on-call order were called."""
    requested_at: Mapped[datetime] = mapped_column(default=get_current_time)
    claimed_at: Mapped[datetime | None] = mapped_column(default=None)
    first_reply_at: Mapped[datetime | None] = mapped_column(default=None)
    reminded_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class HandoffTransition(Base):
    """One event of a handoff: what happened, who, and what state it led to."""

    __tablename__ = "handoff_transitions"
    __table_args__ = (UniqueConstraint("tenant_id", "event_id"), UniqueConstraint("handoff_id", "seq"))

    handoff_id: Mapped[str] = mapped_column(ForeignKey("handoffs.id"))
    seq: Mapped[int]
    """1, 2, 3 ... inside its handoff."""
    event: Mapped[str] = mapped_column(String(16))
    from_state: Mapped[str] = mapped_column(String(16))
    """"bot" where it begins."""
    to_state: Mapped[str] = mapped_column(String(16))
    cause: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(200))
    event_id: Mapped[str | None] = mapped_column(String(64), default=None)
    """The desk's own id of the event; the same one twice is one event."""
    at: Mapped[datetime] = mapped_column(default=get_current_time)


class DeskThread(Base):
    """Where a handoff is shown on a desk."""

    __tablename__ = "desk_threads"
    __table_args__ = (
        UniqueConstraint("tenant_id", "desk", "workspace", "channel", "thread"),
        UniqueConstraint("handoff_id", "desk"),
    )

    handoff_id: Mapped[str] = mapped_column(ForeignKey("handoffs.id"))
    desk: Mapped[str] = mapped_column(String(32))
    workspace: Mapped[str] = mapped_column(String(64), default="")
    channel: Mapped[str] = mapped_column(String(64), default="")
    thread: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)


class HandoffNote(Base):
    """A remark of staff among themselves; it has no way to a customer."""

    __tablename__ = "handoff_notes"
    __table_args__ = (Index("ix_handoff_notes_event", "tenant_id", "event_id", unique=True),)

    handoff_id: Mapped[str] = mapped_column(ForeignKey("handoffs.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(200))
    event_id: Mapped[str | None] = mapped_column(String(64), default=None)
    """The desk's own id of it; the same one twice is one note."""
    at: Mapped[datetime] = mapped_column(default=get_current_time)


class HandoffSettings(SettingsRow):
    """When the bot steps back, and who is there: ``core.handoffs.settings``."""

    __tablename__ = "handoff_settings"
    __table_args__ = (UniqueConstraint("tenant_id"),)


class CannedReply(Base):
    """A text that staff keep ready for their replies: ``core.handoffs.staff.canned_replies``."""

    __tablename__ = "canned_replies"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    """With placeholders such as {name}."""
    updated_by: Mapped[str] = mapped_column(String(200))
    updated_at: Mapped[datetime] = mapped_column(default=get_current_time)
