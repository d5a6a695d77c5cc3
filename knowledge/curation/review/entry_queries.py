"""Search for entries and their usage."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.orm import Session, selectinload

from core.db.models import EntryQuestion, InteractionFeedback, KnowledgeEntry, Turn, get_current_time
from core.feedback.types import match_used_entry
from knowledge.entries import editor

USED_DAYS = 90
MOST_TURNS = 5000


@dataclass(frozen=True)
class EntryFilter:
    """A filter for entries; every field that is set must match."""

    status: str | None = None
    kind: str | None = None
    search: str | None = None


def search_entries(
    session: Session, tenant_id: str, wanted: EntryFilter, limit: int, offset: int
) -> tuple[int, list[KnowledgeEntry]]:
    """Return the total number of matches and one page of them, last changed first."""
    query = select(KnowledgeEntry).where(KnowledgeEntry.tenant_id == tenant_id)
    if wanted.status:
        query = query.where(KnowledgeEntry.status == wanted.status)
    if wanted.kind:
        query = query.where(KnowledgeEntry.kind == wanted.kind)
    if wanted.search:
        asked = select(EntryQuestion.entry_id).where(
            EntryQuestion.tenant_id == tenant_id, EntryQuestion.text.icontains(wanted.search, autoescape=True)
        )
        texts = (KnowledgeEntry.answer, KnowledgeEntry.title, KnowledgeEntry.subject)
        said = [text.icontains(wanted.search, autoescape=True) for text in texts]
        query = query.where(or_(*said, KnowledgeEntry.id == wanted.search, KnowledgeEntry.id.in_(asked)))
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    newest = query.order_by(KnowledgeEntry.updated_at.desc(), KnowledgeEntry.id.desc()).limit(limit).offset(offset)
    loaded = newest.options(selectinload(KnowledgeEntry.questions), selectinload(KnowledgeEntry.source))
    return total, list(session.scalars(loaded))


def describe_knowledge_entry(session: Session, entry: KnowledgeEntry) -> dict[str, Any]:
    """Return all fields of an entry and ``live``: whether the indexes hold this version."""
    revision = editor.revision_of(session, entry.tenant_id)
    return {
        "id": entry.id,
        "kind": entry.kind,
        "status": entry.status,
        "questions": [question.text for question in entry.questions],
        "answer": entry.answer,
        "title": entry.title,
        "subject": entry.subject,
        "language": entry.language,
        "context": entry.context,
        "version": entry.version,
        "author": entry.author,
        "source": entry.source.title if entry.source else None,
        "url": entry.url or (entry.source.url if entry.source else None),
        "external_id": entry.external_id,
        "live": revision is not None and entry.revision <= revision.indexed,
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
    }


def count_entry_uses(session: Session, tenant_id: str, entry_id: str) -> dict[str, int]:
    """Count recent answers that used an entry, and the customers' ratings of them."""
    since = get_current_time() - timedelta(days=USED_DAYS)
    query = (
        select(InteractionFeedback.helpful, func.count())
        .select_from(Turn)
        .outerjoin(InteractionFeedback, InteractionFeedback.turn_id == Turn.id)
        .where(Turn.tenant_id == tenant_id, Turn.created_at >= since, match_used_entry(entry_id))
        .group_by(InteractionFeedback.helpful)
    )
    counts: dict[bool | None, int] = {row[0]: row[1] for row in session.execute(query)}
    return {
        "days": USED_DAYS,
        "answers": sum(counts.values()),
        "helpful": counts.get(True, 0),
        "not_helpful": counts.get(False, 0),
    }


def by_intent(session: Session, tenant_id: str, intent: str, limit: int) -> list[tuple[KnowledgeEntry, int]]:
    """Return entries that recently answered messages of this intent, most used first."""
    since = get_current_time() - timedelta(days=USED_DAYS)
    turns = (
        select(Turn.entries)
        .where(
            Turn.tenant_id == tenant_id,
            Turn.intent == intent,
            Turn.created_at >= since,
            cast(Turn.entries, String) != "[]",
        )
        .order_by(Turn.id.desc())
        .limit(MOST_TURNS)
    )
    counts = Counter(each["id"] for row in session.scalars(turns) for each in row)
    ranked = [entry_id for entry_id, _ in counts.most_common(limit * 2)]
    query = select(KnowledgeEntry).where(KnowledgeEntry.tenant_id == tenant_id, KnowledgeEntry.id.in_(ranked))
    stored = {entry.id: entry for entry in session.scalars(query) if entry.status == "approved"}
    return [(stored[entry_id], counts[entry_id]) for entry_id in ranked if entry_id in stored][:limit]
