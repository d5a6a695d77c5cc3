"""Orders of the demo shop, in place of a shop system."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db.models.base import Base


class Order(Base):
    """An order that a customer placed."""

    __tablename__ = "orders"
    __table_args__ = (UniqueConstraint("tenant_id", "number"),)

    number: Mapped[str] = mapped_column(String(20))
    """R and six digits."""
    email: Mapped[str] = mapped_column(String(320))
    status: Mapped[str] = mapped_column(String(16))
    """placed, packed, shipped, delivered or cancelled"""
    placed_on: Mapped[date]
    expected_on: Mapped[date | None] = mapped_column(default=None)
    carrier: Mapped[str | None] = mapped_column(String(100), default=None)
    tracking: Mapped[str | None] = mapped_column(String(100), default=None)
    address: Mapped[str] = mapped_column(String(500))
    items: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"name", "quantity"}]"""
