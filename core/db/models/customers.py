"""Customers and the addresses where they can be reached."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db.models.base import Base, generate_id, get_current_time


class Customer(Base):
    """A person who writes to us, on any number of channels; ``conversations.customer_id`` refers to them."""

    __tablename__ = "customers"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=generate_id)
    """The browser's own id for customers who first came through the web."""
    name: Mapped[str | None] = mapped_column(String(200), default=None)
    language: Mapped[str | None] = mapped_column(String(8), default=None)
    vip: Mapped[bool] = mapped_column(default=False)
    merged_into: Mapped[str | None] = mapped_column(String(64), default=None)
    """The other record of the same person, which now holds everything."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)


class Address(Base):
    """A customer's address on a channel, such as a phone number or an account."""

    __tablename__ = "addresses"
    __table_args__ = (UniqueConstraint("tenant_id", "channel", "address"),)

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True)
    channel: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(200))
    """In the channel's own format, such as "+447700900123"."""
    verified_at: Mapped[datetime | None] = mapped_column(default=None)
    """When it was verified to be theirs: they wrote from it, or confirmed a code sent to it."""
    opted_out_at: Mapped[datetime | None] = mapped_column(default=None)
    """When they opted out; nothing may be sent there until they opt in again."""
    last_inbound_at: Mapped[datetime | None] = mapped_column(default=None)
    """The time of their last message; some vendors allow free-form messages only for a limited time after it."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
