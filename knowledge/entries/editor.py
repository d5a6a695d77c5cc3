"""Versioned edits and queries of knowledge entries; each version records its author, time and reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, Select, event, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, selectinload

from core.db.models import (
    EntryConflict,
    EntryQuestion,
    EntryVersion,
    KnowledgeEntry,
    KnowledgeRevision,
    SourceDocument,
    TrainingSession,
    generate_id,
    get_current_time,
)
from core.db.models.statuses import EntryStatus
from core.errors import NotFound
from knowledge.entries import contradictions
from knowledge.entries.content import Content
from knowledge.types import Entry, Source, Utterance

LOADED_AT_ONCE = 500


@dataclass(frozen=True)
class Change:
    """The author of a change and the reason for it."""

    author: str
    reason: str


@dataclass(frozen=True)
class Revision:
    """How often a tenant's knowledge has changed; ``epoch`` identifies the database that counted."""

    epoch: str
    number: int
    indexed: int
    """The revision up to which the vector index of ``model`` is complete."""
    model: str | None = None
    """The tuned embedding model in use, a folder below ``home``, or None for the base model."""


@dataclass(frozen=True)
class Changed:
    """A changed entry; ``entry`` is None if it is not served."""

    id: str
    revision: int
    version: int
    entry: Entry | None


class EntryEditor:
    """Change a tenant's entries inside one transaction, which counts as one revision.

    Before the commit, entries that contradict each other are marked as disputed.
    """

    def __init__(self, session: Session, tenant_id: str, change: Change) -> None:
        self._session = session
        self._tenant_id = tenant_id
        self._change = change
        self._revision = 0
        self._asked: set[str] = set()
        """The question keys of the changed entries, before and after the change."""
        self._concerned: set[str] = set()
        """The changed entries, and entries that were in conflict with one of them."""
        event.listen(session, "before_commit", self._mark_contradictions, once=True)

    def lock(self) -> None:
        """Lock the tenant's entries until the transaction ends; read the entries to change only afterwards."""
        self._revision = self._revision or _next_revision(self._session, self._tenant_id)

    def add(
        self, content: Content, *, approved: bool, source: SourceDocument | None = None, key: str | None = None
    ) -> KnowledgeEntry:
        """Add an entry, which is served at once if approved."""
        content = content.checked()
        entry = KnowledgeEntry(
            id=generate_id(), tenant_id=self._tenant_id, version=0, source_id=source and source.id, source_key=key
        )
        self._session.add(entry)
        self._write_content(entry, content)
        entry.status = "approved" if approved else "draft"
        self._record_version(entry)
        return entry

    def amend(self, entry: KnowledgeEntry, content: Content, *, approved: bool | None = None) -> None:
        """Store the next version of an entry; its status stays unless ``approved`` is given."""
        self._write_content(entry, content.checked())
        if approved is not None:
            entry.status = "approved" if approved else "draft"
        self._record_version(entry)

    def approve(self, entry: KnowledgeEntry) -> None:
        """Serve the entry from now on."""
        self._set_status(entry, "approved")

    def retire(self, entry: KnowledgeEntry) -> None:
        """Stop serving the entry; it stays readable with its history."""
        self._set_status(entry, "retired")

    def put_back(self, entry: KnowledgeEntry, status: EntryStatus) -> None:
        """Restore an earlier status of the entry."""
        self._set_status(entry, status)

    def recheck(self, keys: Sequence[str]) -> None:
        """Update the disputed marks for these question keys even if no entry changed."""
        self.lock()
        self._asked.update(keys)

    def contest(self, question: str, entry_ids: Sequence[str]) -> bool:
        """Record that these entries answer a question differently. Return False if the conflict is already known."""
        self.lock()
        key = contradictions.conflict_key(entry_ids)
        known = select(EntryConflict.id).where(EntryConflict.tenant_id == self._tenant_id, EntryConflict.key == key)
        if self._session.scalars(known).first() is not None:
            return False
        for entry_id in entry_ids:
            entry = get_entry(self._session, self._tenant_id, entry_id)
            entry.answer_key = entry.answer_key or contradictions.answer_key(entry.answer)
            self._session.add(EntryConflict(tenant_id=self._tenant_id, entry_id=entry_id, text=question, key=key))
        self._asked.add(key)
        return True

    def _set_status(self, entry: KnowledgeEntry, status: EntryStatus) -> None:
        if entry.status != status:
            entry.status = status
            self._record_version(entry)

    def _write_content(self, entry: KnowledgeEntry, content: Content) -> None:
        keys = contradictions.question_keys(content)
        self._note_asked(entry)
        if entry.version:
            self._concerned |= contradictions.drop_conflicts(self._session, entry.id)
        entry.kind, entry.answer, entry.title = content.kind, content.answer, content.title
        entry.answer_key = contradictions.answer_key(content.answer) if content.kind == "faq" else None
        entry.subject, entry.language, entry.external_id = content.subject, content.language, content.external_id
        entry.url = content.url
        entry.context = [asdict(turn) for turn in content.context]
        entry.questions = [
            EntryQuestion(tenant_id=self._tenant_id, position=n, text=text, key=keys[text])
            for n, text in enumerate(content.questions)
        ]

    def _record_version(self, entry: KnowledgeEntry) -> None:
        self.lock()
        self._note_asked(entry)
        entry.version += 1
        entry.revision = self._revision
        entry.author = self._change.author
        entry.updated_at = get_current_time()
        self._session.add(
            EntryVersion(
                tenant_id=self._tenant_id,
                entry=entry,
                version=entry.version,
                content={**asdict(content_of(entry)), "status": entry.status},
                author=self._change.author,
                reason=self._change.reason[:500],
            )
        )

    def _note_asked(self, entry: KnowledgeEntry) -> None:
        self._asked.update(question.key for question in entry.questions if question.key)
        if entry.version:
            self._concerned.add(entry.id)

    def _mark_contradictions(self, session: Session) -> None:
        if self._asked or self._concerned:
            session.flush()
            self._asked |= contradictions.conflict_keys(session, self._concerned)
            contradictions.mark_disputed_entries(session, self._tenant_id, self._asked, self._revision, self._concerned)


def content_of(entry: KnowledgeEntry) -> Content:
    """Return the current content of a stored entry."""
    return Content(
        kind="faq" if entry.kind == "faq" else "passage",
        answer=entry.answer,
        questions=tuple(q.text for q in entry.questions),
        title=entry.title,
        subject=entry.subject,
        context=tuple(Utterance(t["speaker"], t["text"]) for t in entry.context),
        language=entry.language,
        external_id=entry.external_id,
        url=entry.url,
    )


def get_entry(session: Session, tenant_id: str, entry_id: str) -> KnowledgeEntry:
    """Return one stored entry.

    Raises:
        NotFound: The tenant has no such entry.
    """
    entry = session.get(KnowledgeEntry, entry_id)
    if entry is None or entry.tenant_id != tenant_id:
        raise NotFound(f"There is no entry {entry_id!r}.")
    return entry


def list_entries(session: Session, tenant_id: str, status: str | None = None, limit: int = 50) -> list[KnowledgeEntry]:
    """Return stored entries, newest first."""
    query = select(KnowledgeEntry).where(KnowledgeEntry.tenant_id == tenant_id)
    if status:
        query = query.where(KnowledgeEntry.status == status)
    query = query.order_by(KnowledgeEntry.id.desc()).limit(limit)
    return list(session.scalars(query.options(selectinload(KnowledgeEntry.questions))))


def list_entry_versions(session: Session, entry: KnowledgeEntry) -> list[EntryVersion]:
    """Return an entry's versions, oldest first."""
    query = select(EntryVersion).where(EntryVersion.entry_id == entry.id)
    return list(session.scalars(query.order_by(EntryVersion.version)))


def load_served_entries(session: Session, tenant_id: str, ids: Sequence[str]) -> dict[str, Entry]:
    """Return the given entries that may be served."""
    found: list[Changed] = []
    for start in range(0, len(ids), LOADED_AT_ONCE):
        found += _load_changes(
            session, tenant_id, _WHOLE.where(KnowledgeEntry.id.in_(ids[start : start + LOADED_AT_ONCE]))
        )
    return {one.id: one.entry for one in found if one.entry is not None}


def served_count(session: Session, tenant_id: str) -> int:
    """Return the number of approved entries."""
    query = select(func.count()).where(KnowledgeEntry.tenant_id == tenant_id, KnowledgeEntry.status == "approved")
    return session.scalar(query) or 0


def list_entry_languages(session: Session, tenant_id: str) -> list[str]:
    """Return the languages of the served entries (ISO 639-1), most frequent first."""
    query = select(KnowledgeEntry.language).where(
        KnowledgeEntry.tenant_id == tenant_id, KnowledgeEntry.status == "approved"
    )
    return list(session.scalars(query.group_by(KnowledgeEntry.language).order_by(func.count().desc())))


def revision_of(session: Session, tenant_id: str) -> Revision | None:
    """Return the tenant's revision, or None if nothing was ever stored."""
    row = session.execute(
        select(KnowledgeRevision.id, KnowledgeRevision.revision, KnowledgeRevision.indexed, TrainingSession.model)
        .outerjoin(TrainingSession, _IN_FORCE)
        .where(KnowledgeRevision.tenant_id == tenant_id)
    ).first()
    return Revision(*row) if row else None


def list_knowledge_tenants(session: Session) -> list[str]:
    """Return every tenant that ever had an entry."""
    return list(session.scalars(select(KnowledgeRevision.tenant_id).order_by(KnowledgeRevision.tenant_id)))


def mark_indexed(
    session: Session, tenant_id: str, revision: int, model: str | None = None, *, restart: bool = False
) -> None:
    """Record that the model's vector index is complete up to ``revision``; only a ``restart`` may lower it.

    Do nothing if another model has been deployed meanwhile.
    """
    row = update(KnowledgeRevision).where(KnowledgeRevision.tenant_id == tenant_id)
    session.execute(row.values(tenant_id=tenant_id))  # locks the row: the model stays until the commit
    current = revision_of(session, tenant_id)
    if current is not None and current.model == model and (restart or current.indexed < revision):
        session.execute(row.values(indexed=revision))


def put_in_force(session: Session, tenant_id: str, model: str | None, reached: int) -> bool:
    """Serve with this model's vectors in every process. Return False if the knowledge has changed since ``reached``.

    The model's training session is marked as deployed and the previous one as replaced.
    """
    mine = KnowledgeRevision.tenant_id == tenant_id
    current = update(KnowledgeRevision).where(mine, KnowledgeRevision.revision == reached).values(indexed=reached)
    if not session.execute(current).rowcount:  # type: ignore[attr-defined]
        return False
    trained = update(TrainingSession).where(TrainingSession.tenant_id == tenant_id, TrainingSession.kind == "embedding")
    session.execute(trained.where(TrainingSession.status == "deployed").values(status="replaced"))
    if model is not None:
        done = trained.where(TrainingSession.model == model)
        session.execute(done.values(status="deployed", deployed_at=get_current_time()))
    return True


def changed_ids(session: Session, tenant_id: str, after: int) -> list[str]:
    """Return the ids of entries that changed after a revision."""
    query = select(KnowledgeEntry.id).where(KnowledgeEntry.tenant_id == tenant_id, KnowledgeEntry.revision > after)
    return list(session.scalars(query))


def changed_count(session: Session, tenant_id: str, after: int) -> int:
    """Return how many entries changed after a revision."""
    query = select(func.count()).where(KnowledgeEntry.tenant_id == tenant_id, KnowledgeEntry.revision > after)
    return session.scalar(query) or 0


def list_changed_entries(
    session: Session, tenant_id: str, after: tuple[int, str], limit: int = LOADED_AT_ONCE
) -> list[Changed]:
    """Return the entries that changed after a revision and id, in that order."""
    revision, entry_id = after
    query = _WHOLE.where(
        KnowledgeEntry.tenant_id == tenant_id,
        KnowledgeEntry.revision >= revision,
        (KnowledgeEntry.revision > revision) | (KnowledgeEntry.id > entry_id),
    )
    return _load_changes(session, tenant_id, query.order_by(KnowledgeEntry.revision, KnowledgeEntry.id).limit(limit))


def changed_among(session: Session, tenant_id: str, versions: dict[str, int]) -> list[Changed]:
    """Return the given entries whose version differs from the given one."""
    query = select(KnowledgeEntry.id, KnowledgeEntry.version).where(KnowledgeEntry.id.in_(list(versions)))
    ids = [entry_id for entry_id, version in session.execute(query) if version != versions[entry_id]]
    return _load_changes(session, tenant_id, _WHOLE.where(KnowledgeEntry.id.in_(ids))) if ids else []


_IN_FORCE = (
    (TrainingSession.tenant_id == KnowledgeRevision.tenant_id)
    & (TrainingSession.kind == "embedding")
    & (TrainingSession.status == "deployed")
)

_WHOLE = select(
    *KnowledgeEntry.__table__.columns,
    SourceDocument.title.label("source_title"),
    SourceDocument.url.label("source_url"),
).outerjoin_from(KnowledgeEntry, SourceDocument, KnowledgeEntry.source_id == SourceDocument.id)
"""Selects plain rows: a question waits for them, and ORM objects take five times as long."""


def _load_changes(session: Session, tenant_id: str, query: Select[Any]) -> list[Changed]:
    # The tenant is checked here: with the tenant in the query, SQLite scans all of its entries instead of looking
    # up the few ids.
    rows = [row for row in session.execute(query) if row.tenant_id == tenant_id]
    asked = select(EntryQuestion.entry_id, EntryQuestion.text).where(EntryQuestion.entry_id.in_([r.id for r in rows]))
    questions: dict[str, list[str]] = {row.id: [] for row in rows}
    for entry_id, text in session.execute(asked.order_by(EntryQuestion.entry_id, EntryQuestion.position)):
        questions[entry_id].append(text)
    return [
        Changed(r.id, r.revision, r.version, _build_entry(r, questions[r.id]) if r.status == "approved" else None)
        for r in rows
    ]


def _build_entry(row: Row[Any], questions: Sequence[str]) -> Entry:
    return Entry(
        id=row.id,
        version=row.version,
        kind="faq" if row.kind == "faq" else "passage",
        questions=tuple(questions),
        answer=row.answer,
        subject=row.subject,
        title=row.title,
        source=Source(row.source_title, row.url or row.source_url) if row.source_id else None,
        language=row.language,
        external_id=row.external_id,
        context=tuple(Utterance(turn["speaker"], turn["text"]) for turn in row.context),
        disputed=row.disputed,
    )


def _next_revision(session: Session, tenant_id: str) -> int:
    """Increment the revision; the row stays locked until the transaction ends, so revisions follow commit order."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(KnowledgeRevision).values(tenant_id=tenant_id).on_conflict_do_nothing())
    row = update(KnowledgeRevision).where(KnowledgeRevision.tenant_id == tenant_id)
    counted = row.values(revision=KnowledgeRevision.revision + 1).returning(KnowledgeRevision.revision)
    return session.execute(counted).scalar_one()
