"""Queries of corrections for staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db.models import HumanCorrection, KnowledgeEntry
from core.errors import NotFound
from knowledge.entries import editor

FIELDS = (
    "id",
    "status",
    "category",
    "question",
    "bot_answer",
    "answer",
    "reason",
    "quality",
    "intent",
    "entry_id",
    "entry_action",
    "author",
    "decided_by",
    "decided_at",
    "conversation_id",
    "turn_id",
    "effects",
    "created_at",
)


@dataclass(frozen=True)
class CorrectionFilter:
    """A filter for corrections; every field that is set must match."""

    status: str | None = None
    category: str | None = None
    author: str | None = None
    entry_id: str | None = None


def get_correction(session: Session, tenant_id: str, correction_id: str) -> HumanCorrection:
    """Return one correction, refreshed from the database.

    Raises:
        NotFound: The tenant has no such correction.
    """
    correction = session.get(HumanCorrection, correction_id, populate_existing=True)
    if correction is None or correction.tenant_id != tenant_id:
        raise NotFound(f"There is no correction {correction_id!r}.")
    return correction


def list_corrections(
    session: Session, tenant_id: str, wanted: CorrectionFilter, limit: int, offset: int
) -> tuple[int, list[HumanCorrection]]:
    """Return the total number of matches and one page of them, newest first."""
    set_ = {name: value for name, value in vars(wanted).items() if value is not None}
    query = select(HumanCorrection).filter_by(tenant_id=tenant_id, **set_)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    newest = query.order_by(HumanCorrection.id.desc()).limit(limit).offset(offset)
    return total, list(session.scalars(newest))


def count_corrections(session: Session, tenant_id: str, status: str) -> int:
    """Return the number of corrections with this status."""
    query = select(func.count()).select_from(HumanCorrection).filter_by(tenant_id=tenant_id, status=status)
    return session.scalar(query) or 0


def describe_correction(session: Session, correction: HumanCorrection) -> dict[str, Any]:
    """Return all fields and ``live``: whether the vector index holds the change (None if nothing changed)."""
    return {**{name: getattr(correction, name) for name in FIELDS}, "live": _is_correction_live(session, correction)}


def _is_correction_live(session: Session, correction: HumanCorrection) -> bool | None:
    changed = [change["id"] for change in correction.effects.get("entries", [])]
    revision = editor.revision_of(session, correction.tenant_id)
    if not changed or revision is None:
        return None
    query = select(func.max(KnowledgeEntry.revision)).where(KnowledgeEntry.id.in_(changed))
    return (session.scalar(query) or 0) <= revision.indexed
