"""Queries of the review queue: ranked by effect, paginated, with evidence and near entries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, String, cast, func, select
from sqlalchemy.orm import Session

from core.db.models import KnowledgeEntry, Message, ReviewItem, get_current_time
from core.errors import NotFound
from core.feedback import settings
from knowledge.curation.review.differences import diff_texts
from knowledge.entries import contradictions, editor

FIELDS = (
    "id", "kind", "status", "questions", "answer", "context", "subject", "language", "intent", "evidence", "asks",
    "effect", "entry_id", "near", "reason", "first_by", "decided_by", "decided_at", "snoozed_until", "revision",
    "created_at", "updated_at",
)  # fmt: skip
EVIDENCE_SHOWN = 20
DECISION_DAYS = 28


@dataclass(frozen=True)
class ReviewFilter:
    """A filter for items; every field that is set must match. Without a status, items that wait for a decision."""

    status: str | None = None
    kind: str | None = None
    search: str | None = None
    language: str | None = None


def get_review_item(session: Session, tenant_id: str, item_id: str) -> ReviewItem:
    """Return one item, refreshed from the database.

    Raises:
        NotFound: The tenant has no such item.
    """
    item = session.get(ReviewItem, item_id, populate_existing=True)
    if item is None or item.tenant_id != tenant_id:
        raise NotFound(f"There is no review item {item_id!r}.")
    return item


def list_review_items(
    session: Session, tenant_id: str, wanted: ReviewFilter, limit: int, offset: int
) -> tuple[int, list[ReviewItem]]:
    """Return the total number of matches and one page: waiting items by effect, others last changed first."""
    query = _build_query(tenant_id, wanted)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    if wanted.status in {None, "open", "half_approved"}:
        query = query.order_by(ReviewItem.effect.desc(), ReviewItem.asks.desc(), ReviewItem.id)
    else:
        query = query.order_by(ReviewItem.updated_at.desc(), ReviewItem.id.desc())
    return total, list(session.scalars(query.limit(limit).offset(offset)))


def describe_item(session: Session, item: ReviewItem) -> dict[str, Any]:
    """Return all fields and ``live``: whether the vector index holds the change (None if nothing was published)."""
    return {
        **{name: getattr(item, name) for name in FIELDS},
        "wanted": item.undo.get("wanted") if item.status == "half_approved" else None,
        "expires_at": get_item_expiry(session, item),
        "live": _is_item_live(session, item),
    }


def describe_item_details(session: Session, item: ReviewItem) -> dict[str, Any]:
    """Return the fields of an item with its evidence, and near entries with their differences."""
    target = (item.undo.get("wanted") or {}).get("entry_id") if item.status == "half_approved" else None
    known = {near["entry_id"]: near for near in item.near}
    for entry_id in filter(None, (item.entry_id if item.status in {"open", "half_approved"} else None, target)):
        known.setdefault(entry_id, {"entry_id": entry_id})
    stored = _load_entries(session, item.tenant_id, list(known))
    return {
        **describe_item(session, item),
        "evidence": _list_evidence(session, item),
        "said": len(item.evidence),
        "near": [_describe_near_entry(item, stored[id_], near) for id_, near in known.items() if id_ in stored],
    }


def get_item_expiry(session: Session, item: ReviewItem) -> datetime | None:
    """Return when an item expires unless it is decided, or None."""
    if item.status not in {"open", "half_approved"} or item.kind == contradictions.KIND:
        return None
    return item.expires_at or item.created_at + timedelta(
        weeks=settings.get_learning_settings(session, item.tenant_id).expire_weeks
    )


def count_waiting_items(session: Session, tenant_id: str) -> int:
    """Return how many items wait for a decision."""
    return session.scalar(select(func.count()).select_from(_build_query(tenant_id, ReviewFilter()).subquery())) or 0


def compute_review_analytics(session: Session, tenant_id: str, days: int = DECISION_DAYS) -> dict[str, Any]:
    """Return counts by status and kind, the effect of waiting items, and statistics of recent decisions."""
    by_status = _count_by_column(session, tenant_id, ReviewItem.status)
    since = get_current_time() - timedelta(days=days)
    decided = select(ReviewItem.status, ReviewItem.created_at, ReviewItem.decided_at).where(
        ReviewItem.tenant_id == tenant_id,
        ReviewItem.decided_at >= since,
        ReviewItem.status.in_(["approved", "merged", "rejected"]),
    )
    rows = session.execute(decided).all()
    hours = sorted((row.decided_at - row.created_at).total_seconds() / 3600 for row in rows if row.decided_at)
    effect = select(func.sum(ReviewItem.effect)).where(
        ReviewItem.tenant_id == tenant_id, ReviewItem.status.in_(["open", "half_approved"])
    )
    taken = sum(row.status != "rejected" for row in rows)
    return {
        "by_status": by_status,
        "by_kind": _count_by_column(session, tenant_id, ReviewItem.kind, "open", "half_approved"),
        "waiting": by_status.get("open", 0) + by_status.get("half_approved", 0),
        "waiting_effect": round(session.scalar(effect) or 0.0, 2),
        "days": days,
        "decided": len(rows),
        "approval_rate": round(taken / len(rows), 4) if rows else None,
        "median_hours_to_decision": round(hours[len(hours) // 2], 1) if hours else None,
    }


def _build_query(tenant_id: str, wanted: ReviewFilter) -> Select[Any]:
    query = select(ReviewItem).where(ReviewItem.tenant_id == tenant_id)
    statuses = [wanted.status] if wanted.status else ["open", "half_approved"]
    query = query.where(ReviewItem.status.in_(statuses))
    if wanted.kind:
        query = query.where(ReviewItem.kind == wanted.kind)
    if wanted.language:
        query = query.where(ReviewItem.language == wanted.language)
    if wanted.search:
        asked = cast(ReviewItem.questions, String)
        query = query.where(
            asked.icontains(wanted.search, autoescape=True)
            | ReviewItem.answer.icontains(wanted.search, autoescape=True)
            | ReviewItem.subject.icontains(wanted.search, autoescape=True)
        )
    return query


def _count_by_column(session: Session, tenant_id: str, column: Any, *statuses: str) -> dict[str, int]:
    query = select(column, func.count()).where(ReviewItem.tenant_id == tenant_id).group_by(column)
    if statuses:
        query = query.where(ReviewItem.status.in_(statuses))
    return {row[0]: row[1] for row in session.execute(query)}


def _is_item_live(session: Session, item: ReviewItem) -> bool | None:
    changed = [change["id"] for change in item.undo.get("entries", [])]
    revision = editor.revision_of(session, item.tenant_id)
    if not changed or revision is None:
        return None
    query = select(func.max(KnowledgeEntry.revision)).where(KnowledgeEntry.id.in_(changed))
    return (session.scalar(query) or 0) <= revision.indexed


def _load_entries(session: Session, tenant_id: str, ids: list[str]) -> dict[str, KnowledgeEntry]:
    query = select(KnowledgeEntry).where(KnowledgeEntry.tenant_id == tenant_id, KnowledgeEntry.id.in_(ids))
    return {entry.id: entry for entry in session.scalars(query)}


def _describe_near_entry(item: ReviewItem, entry: KnowledgeEntry, near: dict[str, Any]) -> dict[str, Any]:
    return {
        "entry_id": entry.id,
        "similarity": near.get("similarity"),
        "contradicts": bool(near.get("contradicts")),
        "status": entry.status,
        "kind": entry.kind,
        "title": entry.title,
        "subject": entry.subject,
        "questions": [question.text for question in entry.questions],
        "answer": entry.answer,
        "version": entry.version,
        "source": f"{entry.source.uri} in {entry.source.origin}" if entry.source else None,
        "updated_at": entry.updated_at,
        "diff": [tuple(piece) for piece in diff_texts(entry.answer, item.answer)] if item.answer else [],
    }


def _list_evidence(session: Session, item: ReviewItem) -> list[dict[str, Any]]:
    """Return the evidence of an item, with the times of messages that are still stored."""
    shown = item.evidence[:EVIDENCE_SHOWN]
    ids = [each["message_id"] for each in shown if each.get("message_id")]
    said = select(Message.id, Message.created_at, Message.speaker).where(
        Message.tenant_id == item.tenant_id, Message.id.in_(ids)
    )
    messages = {row.id: row for row in session.execute(said)}
    return [
        {
            "conversation_id": each.get("conversation_id"),
            "message_id": each.get("message_id"),
            "question": each.get("question", ""),
            "answer": each.get("answer", ""),
            "said_at": row.created_at if (row := messages.get(each.get("message_id", ""))) else None,
        }
        for each in shown
    ]
