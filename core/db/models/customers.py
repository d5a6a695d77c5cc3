"""Customers and where they can be reached."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db.models.base import Base, generate_id, get_current_time


class Customer(Base):
    """One person who writes to us, on however many channels; ``conversations.customer_id`` names them."""

    __tablename__ = "customers"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=generate_id)
    """A browser's own id where they first came by the web."""
    name: Mapped[str | None] = mapped_column(String(200), default=None)
    language: Mapped[str | None] = mapped_column(String(8), default=None)
    vip: Mapped[bool] = mapped_column(default=False)
    merged_into: Mapped[str | None] = mapped_column(String(64), default=None)
    """The same person's other record, which holds everything now."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)


class Address(Base):
    """Where a customer is reached on a channel: a number, an account."""

    __tablename__ = "addresses"
    __table_args__ = (UniqueConstraint("tenant_id", "channel", "address"),)

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True)
    channel: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(200))
    """As the channel names it, such as "+447700900123"."""
    verified_at: Mapped[datetime | None] = mapped_column(default=None)
    """When it was proved to be theirs: they wrote from it, or confirmed a code sent to it."""
    opted_out_at: Mapped[datetime | None] = mapped_column(default=None)
    """Nothing may be sent there until they opt in again."""
    last_inbound_at: Mapped[datetime | None] = mapped_column(default=None)
    """Some vendors let a business write freely only for so long after it."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
