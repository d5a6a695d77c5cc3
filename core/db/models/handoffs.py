"""Handoffs to agents, their state transitions, and the threads on desks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db.models.base import Base, SettingsRow, get_current_time
from core.db.models.statuses import Feeling, HandoffState, Urgency


class Handoff(Base):
    """One handoff of a conversation to an agent; only ``core.handoffs`` changes its state."""

    __tablename__ = "handoffs"
    __table_args__ = (Index("ix_handoffs_state", "tenant_id", "state"),)

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    state: Mapped[HandoffState] = mapped_column(String(16), default="requested")
    trigger: Mapped[str] = mapped_column(String(24))
    """asked, unknown, not_helpful, sentiment, risky_topic, low_confidence, promised, vip or taken_over"""
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why the bot handed over, as shown to staff."""
    urgency: Mapped[Urgency] = mapped_column(String(8), default="normal")
    sentiment: Mapped[Feeling] = mapped_column(String(8), default="neutral")
    summary: Mapped[str] = mapped_column(Text, default="")
    sources: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"title", "url"}]: the sources of the bot's last answers."""
    contact: Mapped[str | None] = mapped_column(String(200), default=None)
    """An e-mail address or phone number that the customer left while nobody was available."""
    claimed_by: Mapped[str | None] = mapped_column(String(200), default=None)
    """The agent who handles it: an e-mail address, or a name as the desk knows it."""
    resolved: Mapped[bool | None] = mapped_column(default=None)
    """Set by the agent who closed it."""
    from_seq: Mapped[int]
    """The last message before the handoff; the bot sends nothing after it while an agent owns the conversation."""
    recorded_seq: Mapped[int]
    """The last message that the bot's tracker knows about."""
    last_transition: Mapped[int] = mapped_column(default=0)
    escalations: Mapped[int] = mapped_column(default=0)
    """How many people in the on-call order have been alerted."""
    requested_at: Mapped[datetime] = mapped_column(default=get_current_time)
    claimed_at: Mapped[datetime | None] = mapped_column(default=None)
    first_reply_at: Mapped[datetime | None] = mapped_column(default=None)
    reminded_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class HandoffTransition(Base):
    """One event of a handoff: what happened, who caused it, and the resulting state."""

    __tablename__ = "handoff_transitions"
    __table_args__ = (UniqueConstraint("tenant_id", "event_id"), UniqueConstraint("handoff_id", "seq"))

    handoff_id: Mapped[str] = mapped_column(ForeignKey("handoffs.id"))
    seq: Mapped[int]
    """1, 2, 3 ... within its handoff."""
    event: Mapped[str] = mapped_column(String(16))
    from_state: Mapped[str] = mapped_column(String(16))
    """"bot" for the first transition."""
    to_state: Mapped[str] = mapped_column(String(16))
    cause: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(200))
    event_id: Mapped[str | None] = mapped_column(String(64), default=None)
    """The desk's own id of the event; a repeated id is the same event."""
    at: Mapped[datetime] = mapped_column(default=get_current_time)


class DeskThread(Base):
    """The thread of a handoff on a desk."""

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
    """An internal note of staff; never sent to a customer."""

    __tablename__ = "handoff_notes"
    __table_args__ = (Index("ix_handoff_notes_event", "tenant_id", "event_id", unique=True),)

    handoff_id: Mapped[str] = mapped_column(ForeignKey("handoffs.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(200))
    event_id: Mapped[str | None] = mapped_column(String(64), default=None)
    """The desk's own id of the note; a repeated id is the same note."""
    at: Mapped[datetime] = mapped_column(default=get_current_time)


class HandoffSettings(SettingsRow):
    """When the bot hands over, and who is available: see ``core.handoffs.settings``."""

    __tablename__ = "handoff_settings"
    __table_args__ = (UniqueConstraint("tenant_id"),)


class CannedReply(Base):
    """A prepared reply for staff: see ``core.handoffs.staff.canned_replies``."""

    __tablename__ = "canned_replies"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    """May contain placeholders such as {name}."""
    updated_by: Mapped[str] = mapped_column(String(200))
    updated_at: Mapped[datetime] = mapped_column(default=get_current_time)
