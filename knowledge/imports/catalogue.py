"""The imported sources of a tenant: list, rename, forget and restore them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session, selectinload

from core.db.models import EntryVersion, KnowledgeEntry, KnowledgeSource, SourceDocument, get_current_time
from core.db.models.statuses import EntryStatus
from core.errors import InvalidInput, NotFound
from knowledge.entries.editor import Change, EntryEditor

LONGEST_NAME = 100
NAMES_SHOWN = 20
FORGOTTEN = "its source was forgotten"
"""The reason recorded with a version; an import or a restore only brings back entries that were retired for it."""
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class SourceCounts:
    """A source as it is listed."""

    name: str
    place: str
    base_url: str | None
    documents: int
    entries: int
    """The number of approved entries."""
    drafts: int
    failed: int
    """The number of documents and rows that could not be used at the last import."""
    failures: tuple[dict[str, Any], ...]
    """The first failures: [{"uri", "reason"}]."""
    passed_over: int
    created_at: datetime
    imported_at: datetime
    forgotten_at: datetime | None


def list_source_counts(session: Session, tenant_id: str, *, forgotten: bool = False) -> list[SourceCounts]:
    """Return all sources by name; forgotten ones only if ``forgotten`` is set."""
    documents, counts = _count_documents(session, tenant_id), _count_entries(session, tenant_id)
    return [
        _build_source_counts(source, documents.get(source.name, 0), counts.get(source.name, (0, 0)))
        for source in list_knowledge_sources(session, tenant_id)
        if forgotten or source.forgotten_at is None
    ]


def list_knowledge_sources(session: Session, tenant_id: str) -> list[KnowledgeSource]:
    """Return all sources by name, including forgotten ones."""
    query = select(KnowledgeSource).where(KnowledgeSource.tenant_id == tenant_id)
    return sorted(session.scalars(query), key=lambda source: source.name.casefold())


def require_source(session: Session, tenant_id: str, name: str) -> KnowledgeSource:
    """Return a source by its name.

    Raises:
        NotFound: There is no such source; the message lists the known ones.
    """
    sources = list_knowledge_sources(session, tenant_id)
    source = find_source_by_name(sources, name)
    if source is None:
        known = [repr(one.name) for one in sources if one.forgotten_at is None]
        more = f" and {len(known) - NAMES_SHOWN} more" if len(known) > NAMES_SHOWN else ""
        there = f"There are {', '.join(known[:NAMES_SHOWN])}{more}." if known else "Nothing was imported yet."
        raise NotFound(f"There is no source {name!r}. {there}")
    return source


def find_source_by_name(sources: Sequence[KnowledgeSource], name: str) -> KnowledgeSource | None:
    """Return the source with this name, ignoring case, or None."""
    wanted = _clean_name(name).casefold()
    return next((source for source in sources if source.name.casefold() == wanted), None)


def checked_name(name: str) -> str:
    """Return a name in the form in which it is stored.

    Raises:
        InvalidInput: The name is empty, too long, begins with a dash or has characters that cannot be shown.
    """
    plain = _clean_name(name)
    if not plain:
        raise InvalidInput("The name of a source is empty.")
    if len(plain) > LONGEST_NAME:
        raise InvalidInput(f"The name of a source is longer than {LONGEST_NAME} characters.")
    if plain.startswith("-"):
        raise InvalidInput(f"The name of a source cannot begin with a dash: {plain!r}.")
    if any(unicodedata.category(sign)[0] == "C" and sign not in _JOINERS for sign in plain):
        raise InvalidInput(f"The name of a source has signs that cannot be shown: {plain!r}.")
    return plain


def free_name(sources: Sequence[KnowledgeSource], place: str) -> str:
    """Return an unused name for a source that is imported from a path or address."""
    if "://" in place:
        base = re.sub(r"/?(sitemap[^/]*\.xml)?$", "", place.partition("://")[2].partition("?")[0])
    else:
        base = PurePosixPath(place).stem
    shown = "".join(sign for sign in _clean_name(base) if unicodedata.category(sign)[0] != "C")
    base = shown.lstrip("-")[: LONGEST_NAME - 10].strip() or "source"
    taken = {source.name.casefold() for source in sources}
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name.casefold() not in taken)


def rename_source(session: Session, source: KnowledgeSource, name: str) -> None:
    """Rename a source and move its documents to the new name."""
    mine = SourceDocument.tenant_id == source.tenant_id, SourceDocument.origin == source.name
    session.execute(update(SourceDocument).where(*mine).values(origin=name))
    source.name = name
    session.flush()


def forget_source(session: Session, tenant_id: str, name: str, author: str) -> int:
    """Retire all entries of a source and return how many; their history stays.

    Raises:
        NotFound: There is no such source, or it is already forgotten.
    """
    editor = EntryEditor(session, tenant_id, Change(author, FORGOTTEN))
    source = require_source(session, tenant_id, name)
    if source.forgotten_at is not None:
        raise NotFound(f"The source {source.name!r} was forgotten on {source.forgotten_at:%Y-%m-%d}.")
    editor.lock()
    live = _of_source(session, source, KnowledgeEntry.status != "retired")
    for entry in live:
        editor.retire(entry)
    documents = update(SourceDocument).where(SourceDocument.tenant_id == tenant_id)
    session.execute(documents.where(SourceDocument.origin == source.name).values(content_hash=""))
    source.forgotten_at = get_current_time()
    return len(live)


def restore_source(session: Session, tenant_id: str, name: str, author: str) -> int:
    """Restore a forgotten source with its entries in their earlier status. Return how many entries.

    Raises:
        NotFound: There is no such source.
        InvalidInput: The source is not forgotten.
    """
    editor = EntryEditor(session, tenant_id, Change(author, "its source was restored"))
    source = require_source(session, tenant_id, name)
    if source.forgotten_at is None:
        raise InvalidInput(f"The source {source.name!r} is not forgotten.")
    editor.lock()
    retired = _of_source(session, source, KnowledgeEntry.status == "retired")
    before = _before_forgetting(session, [entry.id for entry in retired])
    back = [entry for entry in retired if entry.id in before]
    for entry in back:
        editor.put_back(entry, before[entry.id])
    source.forgotten_at = None
    return len(back)


def _clean_name(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(name.split()))


def _of_source(session: Session, source: KnowledgeSource, status: Any) -> list[KnowledgeEntry]:
    query = (
        select(KnowledgeEntry)
        .join(SourceDocument, SourceDocument.id == KnowledgeEntry.source_id)
        .where(SourceDocument.tenant_id == source.tenant_id, SourceDocument.origin == source.name, status)
        .options(selectinload(KnowledgeEntry.questions))
    )
    return list(session.scalars(query))


def _before_forgetting(session: Session, ids: Sequence[str]) -> dict[str, EntryStatus]:
    """Return the earlier status of each entry that was retired because its source was forgotten."""
    statuses: dict[str, EntryStatus] = {}
    for start in range(0, len(ids), 500):
        fields = EntryVersion.entry_id, EntryVersion.reason, EntryVersion.content
        query = select(*fields).where(EntryVersion.entry_id.in_(ids[start : start + 500]))
        status: dict[str, EntryStatus] = {}
        for entry_id, reason, content in session.execute(query.order_by(EntryVersion.entry_id, EntryVersion.version)):
            if reason == FORGOTTEN:
                statuses[entry_id] = status.get(entry_id, "draft")
            else:
                statuses.pop(entry_id, None)
            status[entry_id] = content["status"]
    return statuses


def _count_documents(session: Session, tenant_id: str) -> dict[str, int]:
    query = select(SourceDocument.origin, func.count()).where(
        SourceDocument.tenant_id == tenant_id, ~SourceDocument.gone
    )
    return {row[0]: row[1] for row in session.execute(query.group_by(SourceDocument.origin))}


def _count_entries(session: Session, tenant_id: str) -> dict[str, tuple[int, int]]:
    def count_by_status(status: str) -> Any:
        return func.sum(case((KnowledgeEntry.status == status, 1), else_=0))

    query = (
        select(SourceDocument.origin, count_by_status("approved"), count_by_status("draft"))
        .join(KnowledgeEntry, KnowledgeEntry.source_id == SourceDocument.id)
        .where(SourceDocument.tenant_id == tenant_id)
        .group_by(SourceDocument.origin)
    )
    return {row[0]: (int(row[1] or 0), int(row[2] or 0)) for row in session.execute(query)}


def _build_source_counts(source: KnowledgeSource, documents: int, counts: tuple[int, int]) -> SourceCounts:
    served, drafts = counts
    return SourceCounts(
        name=source.name,
        place=source.place,
        base_url=source.base_url,
        documents=documents,
        entries=served,
        drafts=drafts,
        failed=source.failed,
        failures=tuple(source.failures),
        passed_over=source.passed_over,
        created_at=source.created_at,
        imported_at=source.imported_at,
        forgotten_at=source.forgotten_at,
    )
