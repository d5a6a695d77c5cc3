"""The durable outbox: messages and notices still to be delivered to channels and desks."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db.models.base import Base, get_current_time
from core.db.models.statuses import DeliveryKind, DeliveryState


class Delivery(Base):
    """One delivery to one destination, written in the transaction that caused it."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("tenant_id", "destination", "key"),
        UniqueConstraint("conversation_id", "seq"),
        Index("ix_deliveries_due", "state", "next_at"),
        Index("ix_deliveries_lane", "conversation_id", "destination", "state", "seq"),
        Index("ix_deliveries_vendor_id", "destination", "vendor_id"),
    )

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    """Counts up within its conversation; deliveries to one destination go out in this order."""
    destination: Mapped[str] = mapped_column(String(32))
    """The name of the channel or desk that carries it."""
    address: Mapped[str] = mapped_column(String(200), default="")
    """The address on that channel; empty for a desk, which knows its thread."""
    kind: Mapped[DeliveryKind] = mapped_column(String(16), default="message")
    """message: to a customer, or forwarded to a desk; alert: an agent is needed; update: a handoff changed."""
    key: Mapped[str] = mapped_column(String(80))
    """The id of the message or transition that it delivers; unique per destination."""
    message_id: Mapped[str | None] = mapped_column(ForeignKey("messages.id"), default=None, index=True)
    handoff_id: Mapped[str | None] = mapped_column(ForeignKey("handoffs.id"), default=None, index=True)
    cause: Mapped[str] = mapped_column(Text, default="")
    """For an alert or update: the state machine event that it reports, and why."""
    state: Mapped[DeliveryState] = mapped_column(String(12), default="queued")
    """failed: permanently refused; dead: given up."""
    attempts: Mapped[int] = mapped_column(default=0)
    parts_sent: Mapped[int] = mapped_column(default=0)
    """How many parts the vendor has accepted, where a message has several."""
    next_at: Mapped[datetime] = mapped_column(default=get_current_time)
    vendor_id: Mapped[str | None] = mapped_column(String(128), default=None)
    """The vendor's id of the last part."""
    error: Mapped[str | None] = mapped_column(Text, default=None)
    waits_for: Mapped[Literal["customer"] | None] = mapped_column(String(16), default=None)
    """Whose next message makes it due at once; until then the vendor accepts only a template."""
    possible_duplicate: Mapped[bool] = mapped_column(default=False)
    """It was sent again although an earlier attempt may have succeeded."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    updated_at: Mapped[datetime] = mapped_column(default=get_current_time)
