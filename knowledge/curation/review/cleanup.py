"""Reopen snoozed items, expire those not reviewed in time, and update the contradictions in the queue."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.db.models import ReviewItem, get_current_time
from core.feedback import settings
from knowledge.entries import contradictions, editor


def clean_up_queue(session: Session) -> tuple[int, int]:
    """Clean up the queue, as a periodic job. Return how many items were reopened and how many expired."""
    for tenant in editor.list_knowledge_tenants(session):
        contradictions.sync_contradiction_items(session, tenant)
    tenants = session.scalars(select(ReviewItem.tenant_id).distinct()).all()
    counts = [(_wake_snoozed_items(session, tenant), _expire_items(session, tenant)) for tenant in tenants]
    return sum(woken for woken, _ in counts), sum(expired for _, expired in counts)


def _wake_snoozed_items(session: Session, tenant_id: str) -> int:
    due = update(ReviewItem).where(
        ReviewItem.tenant_id == tenant_id,
        ReviewItem.status == "snoozed",
        ReviewItem.snoozed_until <= get_current_time(),
    )
    cleared = {"status": "open", "snoozed_until": None, "decided_by": None, "decided_at": None, "reason": ""}
    return _update_items(
        session, due.values(**cleared, revision=ReviewItem.revision + 1, updated_at=get_current_time())
    )


def _expire_items(session: Session, tenant_id: str) -> int:
    oldest = get_current_time() - timedelta(weeks=settings.get_learning_settings(session, tenant_id).expire_weeks)
    old = (ReviewItem.expires_at <= get_current_time()) | (
        ReviewItem.expires_at.is_(None) & (ReviewItem.created_at <= oldest)
    )
    due = update(ReviewItem).where(
        ReviewItem.tenant_id == tenant_id,
        ReviewItem.status.in_(["open", "half_approved"]),
        ReviewItem.kind != contradictions.KIND,  # contradictions stay as long as the entries differ
        old,
    )
    values = {
        "status": "expired",
        "decided_by": "expiry",
        "decided_at": get_current_time(),
        "updated_at": get_current_time(),
    }
    return _update_items(session, due.values(**values, revision=ReviewItem.revision + 1))


def _update_items(session: Session, change: object) -> int:
    changed = session.scalars(
        change.returning(ReviewItem.id),  # type: ignore[attr-defined]
        execution_options={"synchronize_session": False},
    )
    return len(changed.all())
