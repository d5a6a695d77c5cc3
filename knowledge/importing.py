"""Imports documents: adds what is new, amends what changed, retires what vanished."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from core.db import Database
from core.db.models import EntryVersion, KnowledgeEntry, SourceDocument, now
from core.errors import InvalidInput
from knowledge.chunking import Piece
from knowledge.entries import Change, EntryEditor, content_of
from knowledge.sources.document import Document, Failure, PassedOver, Raw, hash_of
from knowledge.sources.files import Found
from knowledge.sources.opening import Origin
from knowledge.sources.readers import KINDS, read

READING = b"1"
"""Part of every document's hash; counted up when the readers get better, so that unchanged documents are read again."""
LONGEST_ADDRESS = 1000
STEPS_AT_ONCE = 300
"""A long import lets the bot's own writes in between."""
VANISHED = "no longer in its source"
IMPORTED = "imported"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """How to import."""

    author: str = "import"
    approved: bool = True
    allow_empty: bool = False


@dataclass(frozen=True)
class Report:
    """What an import did; the counts are entries, the failures documents."""

    origin: str
    documents: int
    added: int
    changed: int
    unchanged: int
    retired: int
    failed: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Step:
    """What is to be done with one entry: ``does`` is added, changed, approved or retired."""

    does: str
    entry_id: str | None = None
    piece: Piece | None = None


class Importer:
    """Imports the documents of one origin into a tenant's knowledge."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, tenant_id: str, origin: Origin, options: Options, progress: Progress = lambda _uri: None) -> Report:
        """Read every document and store what is in it; what fails is reported and changes nothing.

        Raises:
            InvalidInput: the origin cannot be read, or has no document at all.
        """
        done = _Import(self._database, tenant_id, origin.name, options)
        seen: set[str] = set()
        for found in origin.documents:
            progress(found.uri)
            seen.add(found.uri)
            done.take(found)
        if not seen and not options.allow_empty:
            raise InvalidInput(f"There are no documents in {origin.name}. Supported are {KINDS}.")
        if done.read or not seen:
            done.retire_all_but(seen)
        return done.report()


class _Import:
    def __init__(self, database: Database, tenant_id: str, origin: str, options: Options) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._origin = origin
        self._options = options
        self._counts: Counter[str] = Counter()
        self._failed: list[Failure] = []
        self.read = 0

    def take(self, found: Found) -> None:
        """One document."""
        if isinstance(found, Failure):
            self._failed.append(found)
            return
        if isinstance(found, PassedOver):
            return
        try:
            self._take(found)
        except InvalidInput as error:
            self._failed.append(Failure(found.uri, str(error)))
        except (OSError, ValueError, RecursionError) as error:
            reason = f"it cannot be read: {str(error) or type(error).__name__}"
            self._failed.append(Failure(found.uri, reason))
        else:
            self.read += 1

    def retire_all_but(self, uris: set[str]) -> None:
        """Retire what came from documents that are no longer there."""
        with self._database.session() as session:
            known = select(SourceDocument).where(
                SourceDocument.tenant_id == self._tenant_id, SourceDocument.origin == self._origin
            )
            gone = [(d.id, [*_live(session, d.id)]) for d in session.scalars(known) if d.uri not in uris]
        for document_id, ids in gone:
            self._apply(document_id, [Step("retired", entry_id) for entry_id in ids])
            self._finish(document_id, "")

    def report(self) -> Report:
        """What was done so far."""
        count = self._counts
        changed = count["changed"] + count["approved"]
        done = (self.read, count["added"], changed, count["unchanged"], count["retired"])
        return Report(self._origin, *done, tuple(self._failed))

    def _take(self, raw: Raw) -> None:
        data = raw.load()
        digest = hash_of(READING + (b"+" if self._options.approved else b"-") + data)
        with self._database.session() as session:
            known = _document(session, self._tenant_id, self._origin, raw.uri)
            if known is not None and known.content_hash == digest:
                self._counts["unchanged"] += len(_live(session, known.id))
                return
        document = read(raw, data)
        for piece in document.pieces:
            _check(piece)
        if max(map(len, (self._origin, raw.uri, document.url or ""))) > LONGEST_ADDRESS:
            raise InvalidInput(f"its address is longer than {LONGEST_ADDRESS} characters")
        source_id = self._noted(raw, document)
        self._apply(source_id, self._steps(source_id, document.pieces))
        self._finish(source_id, digest)

    def _noted(self, raw: Raw, document: Document) -> str:
        with self._database.session() as session:
            source = _document(session, self._tenant_id, self._origin, raw.uri)
            if source is None:
                source = SourceDocument(tenant_id=self._tenant_id, origin=self._origin, uri=raw.uri)
                session.add(source)
            moved = (source.title, source.url) != (document.title, document.url)
            source.title, source.url, source.content_hash = document.title[:500], document.url, ""
            session.flush()
            self._moved = moved
            return source.id

    def _steps(self, source_id: str, pieces: Sequence[Piece]) -> list[Step]:
        with self._database.session() as session:
            stored = session.scalars(
                select(KnowledgeEntry)
                .where(KnowledgeEntry.source_id == source_id)
                .options(selectinload(KnowledgeEntry.questions))
            ).all()
            kept_back = _retired_by_hand(session, [e.id for e in stored if e.status == "retired"])
        matched = dict(_matched(stored, pieces))
        steps = [self._step(matched.get(piece.key), piece, kept_back) for piece in pieces]
        found = {entry.id for entry in matched.values()}
        gone = [Step("retired", e.id) for e in stored if e.id not in found and e.status != "retired"]
        return [*steps, *gone]

    def _step(self, entry: KnowledgeEntry | None, piece: Piece, kept_back: set[str]) -> Step:
        if entry is None:
            return Step("added", None, piece)
        same = content_of(entry) == piece.content.checked() and entry.source_key == piece.key and not self._moved
        if entry.id in kept_back or (same and entry.status == "approved"):
            return Step("unchanged")
        if same and entry.status == "draft":
            return Step("approved", entry.id) if self._options.approved else Step("unchanged")
        return Step("changed", entry.id, piece)

    def _apply(self, source_id: str, steps: Sequence[Step]) -> None:
        self._counts["unchanged"] += sum(step.does == "unchanged" for step in steps)
        work = [step for step in steps if step.does != "unchanged"]
        for start in range(0, len(work), STEPS_AT_ONCE):
            batch = work[start : start + STEPS_AT_ONCE]
            with self._database.session() as session:
                source = session.get_one(SourceDocument, source_id)
                for step in batch:
                    self._do(session, source, step)
            self._counts.update(step.does for step in batch)

    def _do(self, session: Session, source: SourceDocument, step: Step) -> None:
        editor = self._editor(session, VANISHED if step.does == "retired" else f"{IMPORTED} from {source.uri}")
        approved = self._options.approved
        if step.entry_id is None and step.piece is not None:
            editor.add(step.piece.content, approved=approved, source=source, key=step.piece.key)
            return
        entry = session.get_one(KnowledgeEntry, step.entry_id)
        if step.piece is not None:
            entry.source_key = step.piece.key
            editor.amend(entry, step.piece.content, approved=approved)
        elif step.does == "approved":
            editor.approve(entry)
        else:
            editor.retire(entry)

    def _editor(self, session: Session, reason: str) -> EntryEditor:
        """One editor a transaction and reason, so that a batch is one revision."""
        editors: dict[str, EntryEditor] = session.info.setdefault("editors", {})
        if reason not in editors:
            editors[reason] = EntryEditor(session, self._tenant_id, Change(self._options.author, reason))
        return editors[reason]

    def _finish(self, source_id: str, digest: str) -> None:
        with self._database.session() as session:
            source = session.get_one(SourceDocument, source_id)
            source.content_hash, source.imported_at = digest, now()


def _check(piece: Piece) -> None:
    try:
        piece.content.checked()
    except InvalidInput as error:
        raise InvalidInput(f"{piece.key[:80]}: {error}") from error


def _document(session: Session, tenant_id: str, origin: str, uri: str) -> SourceDocument | None:
    return session.scalar(
        select(SourceDocument).where(
            SourceDocument.tenant_id == tenant_id, SourceDocument.origin == origin, SourceDocument.uri == uri
        )
    )


def _live(session: Session, source_id: str) -> Sequence[str]:
    return session.scalars(
        select(KnowledgeEntry.id).where(KnowledgeEntry.source_id == source_id, KnowledgeEntry.status != "retired")
    ).all()


def _retired_by_hand(session: Session, ids: Sequence[str]) -> set[str]:
    """Those that a person retired, which an import does not bring back."""
    query = select(EntryVersion.entry_id, EntryVersion.reason).where(EntryVersion.entry_id.in_(ids))
    last = {row.entry_id: row.reason for row in session.execute(query.order_by(EntryVersion.version))}
    return {entry_id for entry_id, reason in last.items() if reason != VANISHED}


def _matched(stored: Iterable[KnowledgeEntry], pieces: Sequence[Piece]) -> Iterator[tuple[str, KnowledgeEntry]]:
    """Which stored entry each piece is: the one with its key, else the one with its answer under another heading."""
    entries = list(stored)
    by_key = {entry.source_key: entry for entry in entries}
    keys = {piece.key for piece in pieces}
    by_answer = {entry.answer: entry for entry in entries if entry.source_key not in keys}
    for piece in pieces:
        entry = by_key.get(piece.key) or by_answer.pop(piece.content.answer.strip(), None)
        if entry is not None:
            yield piece.key, entry
