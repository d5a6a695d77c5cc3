"""Heartbeats: one row per process with the time of its last sign of life."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import Heartbeat, get_current_time

ALIVE = timedelta(seconds=30)
EVERYONE = "*"
"""The tenant of heartbeats, because a process works for all tenants."""


def record_heartbeat(session: Session, process: str, at: datetime | None = None) -> None:
    """Record that ``process`` is alive, or that its work is done up to ``at``."""
    row = session.scalar(select(Heartbeat).filter_by(tenant_id=EVERYONE, process=process))
    if row is None:
        row = Heartbeat(tenant_id=EVERYONE, process=process)
        session.add(row)
    row.beat_at = at or get_current_time()


def is_process_alive(session: Session, process: str) -> bool:
    """Whether there was a heartbeat within the last 30 seconds."""
    at = find_last_heartbeat(session, process)
    return at is not None and get_current_time() - at < ALIVE


def find_last_heartbeat(session: Session, process: str) -> datetime | None:
    """Return the time of the last heartbeat, or None."""
    return session.scalar(select(Heartbeat.beat_at).filter_by(tenant_id=EVERYONE, process=process))
