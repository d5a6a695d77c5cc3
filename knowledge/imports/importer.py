"""Import documents: add new entries, amend changed ones and retire those that vanished."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from core.db import Database
from core.db.models import EntryVersion, KnowledgeEntry, KnowledgeSource, SourceDocument, get_current_time
from core.errors import InvalidInput
from knowledge.entries import contradictions
from knowledge.entries.contradictions import Contradiction
from knowledge.entries.editor import Change, EntryEditor, content_of
from knowledge.imports import catalogue
from knowledge.imports.chunker import Chunk
from knowledge.imports.lease import Lease
from knowledge.imports.recognition import KnownDocument, match_entries
from knowledge.imports.sources.document import Document, Failure, PassedOver, Raw, compute_data_hash
from knowledge.imports.sources.files import Found
from knowledge.imports.sources.origins import Origin
from knowledge.imports.sources.readers import read_raw_document
from knowledge.imports.target import ImportTarget, Progress, ignore_progress, nothing_in, scan_origin, target_of

READING = b"2"
"""Part of every document's hash; increased when the readers improve, so that unchanged documents are read again."""
LONGEST_ADDRESS = 1000
STEPS_AT_ONCE = 300
"""The batch size; between batches of a long import, the bot can write to the database."""
FAILURES_KEPT = 100
VANISHED = "no longer in its source"
IMPORTED = "imported"


@dataclass(frozen=True)
class Options:
    """How to import; without a ``name``, the source is recognised or named after its location."""

    author: str = "import"
    approved: bool = True
    allow_empty: bool = False
    name: str | None = None


@dataclass(frozen=True)
class Report:
    """The result of an import: counts of entries, except ``documents`` and ``gone``; failures are documents and rows."""

    origin: str
    documents: int
    added: int
    changed: int
    unchanged: int
    retired: int
    failed: tuple[Failure, ...] = ()
    name: str = ""
    passed_over: tuple[PassedOver, ...] = ()
    gone: int = 0
    """The number of documents that no longer exist since the last import."""
    moved_from: str | None = None
    """The location from which the same documents were imported before."""
    renamed_from: str | None = None
    incomplete: bool = False
    """Whether not everything could be listed; nothing was retired then."""
    contradictions: tuple[Contradiction, ...] = ()
    """Questions of this source with different answers, in this or another source."""


@dataclass(frozen=True)
class Step:
    """The change of one entry; ``does`` is added, changed, approved, retired or unchanged."""

    does: str
    entry_id: str | None = None
    piece: Chunk | None = None


class Importer:
    """Imports the documents of one origin into a tenant's knowledge."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, tenant_id: str, origin: Origin, options: Options, progress: Progress = ignore_progress) -> Report:
        """Read every document and store its entries; a document that fails is reported and changes nothing.

        Raises:
            InvalidInput: The origin cannot be read, or has no document at all.
            Conflict: Another import of the tenant is running.
        """
        if options.name is not None:
            options = replace(options, name=catalogue.checked_name(options.name))
        with Lease(self._database, tenant_id, origin.name):
            return self._run_import(tenant_id, origin, options, progress)

    def _run_import(self, tenant_id: str, origin: Origin, options: Options, progress: Progress) -> Report:
        listing = scan_origin(origin, progress)
        if not listing.uris and not options.allow_empty:
            raise InvalidInput(nothing_in(origin.name, listing.documents))
        with self._database.session() as session:
            target = target_of(session, tenant_id, origin, options.name, listing)
        done = _Import(self._database, tenant_id, origin, target, options)
        for number, found in enumerate(listing.documents):
            progress(number, max(listing.total, number + 1), found.uri)
            done.take(found)
        progress(listing.total, listing.total, "")
        if (done.read or not listing.uris) and not done.incomplete:
            done.retire_the_rest()
        return done.report()


class _Import:
    def __init__(
        self, database: Database, tenant_id: str, origin: Origin, target: ImportTarget, options: Options
    ) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._origin = origin
        self._target = target
        self._options = options
        self._counts: Counter[str] = Counter()
        self._failed: list[Failure] = []
        self._passed_over: list[PassedOver] = []
        self._kept: set[str] = set()
        """The ids of the documents that still exist, readable or not."""
        self._taken: dict[str, str] = {}
        """The first document with each hash."""
        self._gone = 0
        self.read = 0
        self.incomplete = False

    def take(self, found: Found) -> None:
        if isinstance(found, Failure):
            self._record_failure(found)
            return
        if isinstance(found, PassedOver):
            self._passed_over.append(found)
            return
        if (readable := found.uri.encode(errors="replace").decode()) != found.uri:
            self._record_failure(Failure(readable, "its name is no readable text"))
            return
        try:
            self._import_document(found)
        except InvalidInput as error:
            self._record_failure(Failure(found.uri, str(error)))
        except (OSError, ValueError, RecursionError) as error:
            reason = f"it cannot be read: {str(error) or type(error).__name__}"
            self._record_failure(Failure(found.uri, reason))

    def retire_the_rest(self) -> None:
        """Retire the entries of documents that no longer exist."""
        with self._database.session() as session:
            known = select(SourceDocument).where(
                SourceDocument.tenant_id == self._tenant_id, SourceDocument.origin == self._target.name
            )
            rest = [d for d in session.scalars(known) if d.id not in self._kept]
            gone = [(d.id, [*_list_live_entry_ids(session, d.id)]) for d in rest if not d.gone]
        for document_id, ids in gone:
            self._apply_steps(document_id, [Step("retired", entry_id) for entry_id in ids])
            self._finish_document(document_id, "", gone=True)
        self._gone = len(gone)

    def report(self) -> Report:
        """Return the result, after updating the source and the review queue."""
        with self._database.session() as session:
            if self.read or self._target.own:
                self._update_source(session)
            contradictions.sync_contradiction_items(session, self._tenant_id)
            found = contradictions.find_contradictions(session, self._tenant_id, source=self._target.name)
        count = self._counts
        changed = count["changed"] + count["approved"]
        return Report(
            origin=self._origin.name,
            documents=self.read,
            added=count["added"],
            changed=changed,
            unchanged=count["unchanged"],
            retired=count["retired"],
            failed=tuple(self._failed),
            name=self._target.name,
            passed_over=tuple(self._passed_over),
            gone=self._gone,
            moved_from=self._target.moved_from,
            renamed_from=self._target.renamed_from,
            incomplete=self.incomplete,
            contradictions=tuple(found),
        )

    def _record_failure(self, failure: Failure) -> None:
        self._failed.append(failure)
        self.incomplete |= failure.hides
        if failure.uri in self._target.own:
            self._kept.add(self._target.own[failure.uri].id)

    def _ensure_source(self, session: Session) -> KnowledgeSource:
        """Return the source's row, created with the first document of a new source."""
        source = catalogue.find_source_by_name(
            catalogue.list_knowledge_sources(session, self._tenant_id), self._target.name
        )
        if source is None:
            source = KnowledgeSource(tenant_id=self._tenant_id, name=self._target.name, place=self._origin.name)
            session.add(source)
        return source

    def _update_source(self, session: Session) -> None:
        """Record location, time and failures of the import with the source."""
        source = self._ensure_source(session)
        source.place, source.author = self._origin.name, self._options.author
        source.base_url = self._origin.base_url or self._target.base_url
        source.failed, source.passed_over = len(self._failed), len(self._passed_over)
        source.failures = [{"uri": f.uri, "reason": f.reason[:500]} for f in self._failed[:FAILURES_KEPT]]
        source.imported_at = get_current_time()
        if self.read:
            source.forgotten_at = None

    def _import_document(self, raw: Raw) -> None:
        data = raw.load()
        raw = replace(raw, base_url=raw.base_url or self._target.base_url)
        data_hash = compute_data_hash(data)
        if data.strip() and (double := self._find_duplicate(raw, data_hash)):
            self._passed_over.append(PassedOver(raw.uri, double))
            return
        self._taken.setdefault(data_hash, raw.uri)
        approved = b"+" if self._options.approved else b"-"
        digest = compute_data_hash(b"\0".join((READING, approved, (raw.base_url or "").encode(), data)))
        known = self._target.own.get(raw.uri)
        if known is not None:
            self._kept.add(known.id)
            if self._is_unchanged(known, raw, digest):
                self.read += 1
                return
        document = _read_valid_document(raw, data)
        if max(map(len, (self._origin.name, raw.uri, document.url or ""))) > LONGEST_ADDRESS:
            raise InvalidInput(f"its address is longer than {LONGEST_ADDRESS} characters")
        source_id = self._store_document(raw, document, data_hash)
        self._kept.add(source_id)
        self._failed += [Failure(f"{raw.uri}, {row.uri}", row.reason) for row in document.failed]
        self._apply_steps(source_id, self._plan_steps(source_id, document.pieces))
        # Documents with bad rows are read again next time, so the rows are reported until they are fixed.
        self._finish_document(source_id, "" if document.failed else digest)
        self.read += 1

    def _find_duplicate(self, raw: Raw, data_hash: str) -> str | None:
        """Return what has the same bytes, in this source or another; nothing is imported twice."""
        first = self._taken.get(data_hash)
        if first is None and raw.uri not in self._target.own:
            first = self._target.settled.get(data_hash)
            if first is None and data_hash in self._target.elsewhere:
                other = self._target.elsewhere[data_hash]
                return f"the same as {other.uri} in {other.source!r}"
        return f"the same as {first}" if first is not None else None

    def _is_unchanged(self, known: KnownDocument, raw: Raw, digest: str) -> bool:
        with self._database.session() as session:
            document = session.get_one(SourceDocument, known.id)
            same_name = document.uri.rpartition("/")[2] == raw.uri.rpartition("/")[2]
            if document.content_hash != digest or document.gone or not same_name:
                return False
            document.uri = raw.uri
            self._counts["unchanged"] += len(_list_live_entry_ids(session, known.id))
            return True

    def _store_document(self, raw: Raw, document: Document, data_hash: str) -> str:
        known = self._target.own.get(raw.uri)
        with self._database.session() as session:
            if known is not None:
                source = session.get_one(SourceDocument, known.id)
            else:
                self._ensure_source(session)
                source = SourceDocument(tenant_id=self._tenant_id, origin=self._target.name)
                session.add(source)
            title, url = document.title[:500], document.url
            self._moved = (source.title, source.url) != (title, url)
            source.uri, source.title, source.url, source.content_hash = raw.uri, title, url, ""
            source.data_hash, source.gone = data_hash, False
            session.flush()
            return source.id

    def _plan_steps(self, source_id: str, pieces: Sequence[Chunk]) -> list[Step]:
        with self._database.session() as session:
            stored = session.scalars(
                select(KnowledgeEntry)
                .where(KnowledgeEntry.source_id == source_id)
                .options(selectinload(KnowledgeEntry.questions))
            ).all()
            kept_back = _retired_by_hand(session, [e.id for e in stored if e.status == "retired"])
            known = dict(match_entries(stored, pieces))
            for key, entry in known.items():
                entry.source_key = key
        steps = [self._choose_step(known.get(piece.key), piece, kept_back) for piece in pieces]
        found = {entry.id for entry in known.values()}
        gone = [Step("retired", e.id) for e in stored if e.id not in found and e.status != "retired"]
        return [*steps, *gone]

    def _choose_step(self, entry: KnowledgeEntry | None, piece: Chunk, kept_back: set[str]) -> Step:
        if entry is None:
            return Step("added", None, piece)
        same = content_of(entry) == piece.content.checked() and not self._moved
        if entry.id in kept_back or (same and entry.status == "approved"):
            return Step("unchanged")
        if same and entry.status == "draft":
            return Step("approved", entry.id) if self._options.approved else Step("unchanged")
        return Step("changed", entry.id, piece)

    def _apply_steps(self, source_id: str, steps: Sequence[Step]) -> None:
        self._counts["unchanged"] += sum(step.does == "unchanged" for step in steps)
        work = [step for step in steps if step.does != "unchanged"]
        for start in range(0, len(work), STEPS_AT_ONCE):
            batch = work[start : start + STEPS_AT_ONCE]
            with self._database.session() as session:
                source = session.get_one(SourceDocument, source_id)
                for step in batch:
                    self._execute_step(session, source, step)
            self._counts.update(step.does for step in batch)

    def _execute_step(self, session: Session, source: SourceDocument, step: Step) -> None:
        editor = self._get_editor(session, VANISHED if step.does == "retired" else f"{IMPORTED} from {source.uri}")
        approved = self._options.approved
        if step.entry_id is None and step.piece is not None:
            editor.add(step.piece.content, approved=approved, source=source, key=step.piece.key)
            return
        entry = session.get_one(KnowledgeEntry, step.entry_id)
        if step.piece is not None:
            editor.amend(entry, step.piece.content, approved=approved)
        elif step.does == "approved":
            editor.approve(entry)
        else:
            editor.retire(entry)

    def _get_editor(self, session: Session, reason: str) -> EntryEditor:
        """Return one editor for each transaction and reason, so that a batch is one revision."""
        editors: dict[str, EntryEditor] = session.info.setdefault("editors", {})
        if reason not in editors:
            editors[reason] = EntryEditor(session, self._tenant_id, Change(self._options.author, reason))
        return editors[reason]

    def _finish_document(self, source_id: str, digest: str, *, gone: bool = False) -> None:
        with self._database.session() as session:
            source = session.get_one(SourceDocument, source_id)
            source.content_hash, source.imported_at, source.gone = digest, get_current_time(), gone


def _read_valid_document(raw: Raw, data: bytes) -> Document:
    """Read a document and drop the pieces that cannot be stored.

    Raises:
        InvalidInput: Nothing in it can be used, or its reader failed; the import continues with other documents.
    """
    try:
        document = read_raw_document(raw, data)
    except (InvalidInput, OSError, ValueError, RecursionError):
        raise
    except Exception as error:  # a library may fail on a broken file in any way
        raise InvalidInput(f"it cannot be read: {type(error).__name__}: {error}") from error
    failed = {piece.key: reason for piece in document.pieces if (reason := _find_piece_error(piece))}
    if failed and len(failed) == len(document.pieces):
        key, reason = next(iter(failed.items()))
        raise InvalidInput(f"{key[:80]}: {reason}")
    pieces = [piece for piece in document.pieces if piece.key not in failed]
    rows = tuple(Failure(key[:80], reason) for key, reason in failed.items())
    return replace(document, pieces=pieces, failed=document.failed + rows)


def _find_piece_error(piece: Chunk) -> str | None:
    try:
        piece.content.checked()
    except InvalidInput as error:
        return str(error)
    return None


def _list_live_entry_ids(session: Session, source_id: str) -> Sequence[str]:
    return session.scalars(
        select(KnowledgeEntry.id).where(KnowledgeEntry.source_id == source_id, KnowledgeEntry.status != "retired")
    ).all()


def _retired_by_hand(session: Session, ids: Sequence[str]) -> set[str]:
    """Return the entries that a person retired, which an import does not bring back."""
    query = select(EntryVersion.entry_id, EntryVersion.reason).where(EntryVersion.entry_id.in_(ids))
    last = {row.entry_id: row.reason for row in session.execute(query.order_by(EntryVersion.version))}
    return {entry_id for entry_id, reason in last.items() if reason not in (VANISHED, catalogue.FORGOTTEN)}
