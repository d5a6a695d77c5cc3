"""Status that the processes share with each other."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db.models.base import Base, get_current_time


class Heartbeat(Base):
    """When a process last did its work."""

    __tablename__ = "heartbeats"
    __table_args__ = (UniqueConstraint("tenant_id", "process"),)

    process: Mapped[str] = mapped_column(String(32))
    beat_at: Mapped[datetime] = mapped_column(default=get_current_time)
