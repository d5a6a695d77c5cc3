"""How one process knows that another is alive: a row with a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import Heartbeat, now

ALIVE = timedelta(seconds=30)
EVERYONE = "*"
"""A process works for all tenants."""


def beat(session: Session, process: str, at: datetime | None = None) -> None:
    """Say that ``process`` is alive, or that its work is done up to ``at``."""
    row = session.scalar(select(Heartbeat).filter_by(tenant_id=EVERYONE, process=process))
    if row is None:
        row = Heartbeat(tenant_id=EVERYONE, process=process)
        session.add(row)
    row.beat_at = at or now()


def alive(session: Session, process: str) -> bool:
    """Was there a sign of life within the last half minute?"""
    at = last(session, process)
    return at is not None and now() - at < ALIVE


def last(session: Session, process: str) -> datetime | None:
    """What it said last; None: nothing yet."""
    return session.scalar(select(Heartbeat.beat_at).filter_by(tenant_id=EVERYONE, process=process))
