"""Puts snoozed items back into the queue, takes out what nobody reviewed, and keeps its contradictions up to date."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.db.models import ReviewItem, now
from core.feedback import settings
from knowledge.entries import contradictions, editor


def tidy(session: Session) -> tuple[int, int]:
    """For a job that runs again and again: how many woke up, and how many expired."""
    for tenant in editor.tenants(session):
        contradictions.queue(session, tenant)
    tenants = session.scalars(select(ReviewItem.tenant_id).distinct()).all()
    counts = [(_wake(session, tenant), _expire(session, tenant)) for tenant in tenants]
    return sum(woken for woken, _ in counts), sum(expired for _, expired in counts)


def _wake(session: Session, tenant_id: str) -> int:
    due = update(ReviewItem).where(
        ReviewItem.tenant_id == tenant_id, ReviewItem.status == "snoozed", ReviewItem.snoozed_until <= now()
    )
    cleared = {"status": "open", "snoozed_until": None, "decided_by": None, "decided_at": None, "reason": ""}
    return _count(session, due.values(**cleared, revision=ReviewItem.revision + 1, updated_at=now()))


def _expire(session: Session, tenant_id: str) -> int:
    oldest = now() - timedelta(weeks=settings.of(session, tenant_id).expire_weeks)
    old = (ReviewItem.expires_at <= now()) | (ReviewItem.expires_at.is_(None) & (ReviewItem.created_at <= oldest))
    due = update(ReviewItem).where(
        ReviewItem.tenant_id == tenant_id,
        ReviewItem.status.in_(["open", "half_approved"]),
        ReviewItem.kind != contradictions.KIND,  # it lasts for as long as its entries differ
        old,
    )
    values = {"status": "expired", "decided_by": "expiry", "decided_at": now(), "updated_at": now()}
    return _count(session, due.values(**values, revision=ReviewItem.revision + 1))


def _count(session: Session, change: object) -> int:
    changed = session.scalars(
        change.returning(ReviewItem.id),  # type: ignore[attr-defined]
        execution_options={"synchronize_session": False},
    )
    return len(changed.all())
