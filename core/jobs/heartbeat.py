"""How one process knows that another is alive: a row with a time."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import Heartbeat, now

ALIVE = timedelta(seconds=30)
EVERYONE = "*"
"""A process works for all tenants."""


def beat(session: Session, process: str) -> None:
    """Say that ``process`` is alive."""
    row = session.scalar(select(Heartbeat).filter_by(tenant_id=EVERYONE, process=process))
    if row is None:
        row = Heartbeat(tenant_id=EVERYONE, process=process)
        session.add(row)
    row.beat_at = now()


def alive(session: Session, process: str) -> bool:
    """Was there a sign of life within the last half minute?"""
    row = session.scalar(select(Heartbeat).filter_by(tenant_id=EVERYONE, process=process))
    return row is not None and now() - row.beat_at < ALIVE
