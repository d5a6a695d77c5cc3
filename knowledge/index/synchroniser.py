"""Syncs the vector indexes and the lexical index with SQL; idempotent."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from core.db import Database
from core.errors import KnowledgeUnavailable, NotFound
from knowledge.entries import editor
from knowledge.entries.editor import Revision
from knowledge.index.indexer import (
    Filling,
    Position,
    Progress,
    get_complete_revision,
    ignore_progress,
    make_end_position,
    read_change_batches,
)
from knowledge.index.lexical_index import LexicalIndex, Reached
from knowledge.index.spaces import Spaces, VectorSpace

LOOK_AGAIN_S = 0.5


@dataclass(frozen=True)
class IndexCounts:
    """Number of entries served by SQL and held by each index."""

    served: int
    vectors: int
    words: int

    @property
    def agree(self) -> bool:
        """Whether all three counts are equal."""
        return self.served == self.vectors == self.words


class Synchroniser:
    """Copies changes from SQL into both indexes."""

    def __init__(
        self,
        database: Database,
        spaces: Spaces,
        words: LexicalIndex,
        lock: Path,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pause = pause
        self._database = database
        self._spaces = spaces
        self._words = words
        self._lock = lock

    def sync(self, tenant_id: str, progress: Progress = ignore_progress) -> int:
        """Sync both indexes; return the number of entries sent to the vector index.

        Raises:
            KnowledgeUnavailable: Chroma cannot be reached, or the tenant's embedding model is missing; the lexical index
                is up to date all the same.
        """
        self.sync_words(tenant_id)
        with self._hold_index_lock(self._make_progress_reporter(tenant_id, progress)):
            return self._sync_vectors(tenant_id, progress)

    def sync_all(self) -> int:
        """Sync every tenant, including those whose vector index was lost; for a recurring job.

        Raises:
            KnowledgeUnavailable: at least one tenant could not be synced; the others were.
        """
        with self._database.session() as session:
            tenants = editor.list_knowledge_tenants(session)
        done, failed = 0, []
        for tenant_id in tenants:
            try:
                done += self.sync(tenant_id)
            except KnowledgeUnavailable as error:
                failed.append(error)
        if failed:
            raise failed[0]
        return done

    def sync_words(
        self, tenant_id: str, at_most: int | None = None, tries: int = 40, revision: Revision | None = None
    ) -> bool:
        """Sync the lexical index; skipped if more than ``at_most`` entries are missing."""
        revision = revision or self._get_revision(tenant_id)
        reached = self._words.reached(tenant_id)
        if revision is None or reached == Reached(revision.epoch, revision.number):
            return True
        after = reached.revision if reached.epoch == revision.epoch and reached.revision <= revision.number else 0
        with self._database.session() as session:
            missing = editor.changed_count(session, tenant_id, after)
        if at_most is not None and missing > at_most:
            return False
        if after == 0 and reached.revision:
            self._words.clear(tenant_id)
        done = self._write_words(tenant_id, revision, after, tries)
        if done and at_most is None and self._words.is_worn(tenant_id):
            whole_ = read_change_batches(self._database, tenant_id, make_end_position(0))
            self._words.rewrite(tenant_id, whole_, Reached(revision.epoch, revision.number))
        return done

    def rebuild(self, tenant_id: str, progress: Progress = ignore_progress) -> IndexCounts:
        """Rebuild both indexes and compare them with SQL."""
        revision = self._get_revision(tenant_id)
        if revision is None:
            return IndexCounts(0, 0, 0)
        self._words.clear(tenant_id)
        self.sync_words(tenant_id)
        with self._hold_index_lock():
            space = self._spaces.of(revision.model)
            self._restart_indexing(tenant_id, revision, space)
            self._sync_vectors(tenant_id, progress)
        with self._database.session() as session:
            served = editor.served_count(session, tenant_id)
        return IndexCounts(served, len(space.index.entry_ids(tenant_id, revision.epoch)), self._words.count(tenant_id))

    def prepare(self, tenant_id: str, model: str | None, progress: Progress = ignore_progress) -> int:
        """Fill the index of an inactive model while the active one serves; return the revision it then holds.

        The collection stores its own progress, so an interrupted run resumes there.

        Raises:
            KnowledgeUnavailable: Chroma cannot be reached, or the model is missing.
            NotFound: the tenant has no knowledge.
        """
        revision, space = self._get_revision(tenant_id), self._spaces.of(model)
        if revision is None:
            raise NotFound("There is no knowledge to index.")
        epoch = revision.epoch
        reached = space.index.reached(tenant_id, epoch)
        if reached is None:
            space.index.create(tenant_id, epoch)
        filling = Filling(self._database, space, tenant_id, epoch)
        filling.run(
            reached or make_end_position(0),
            revision.number,
            lambda at: space.index.note_reached(tenant_id, epoch, at),
            progress,
        )
        return revision.number

    def _write_words(self, tenant_id: str, revision: Revision, after: int, tries: int) -> bool:
        for batch in read_change_batches(self._database, tenant_id, make_end_position(after)):
            after = max(after, get_complete_revision((batch[-1].revision, batch[-1].id)))
            if not self._words.write(tenant_id, batch, Reached(revision.epoch, after), tries=tries):
                return False
        if after >= revision.number:
            return True
        return self._words.write(tenant_id, [], Reached(revision.epoch, revision.number), tries=tries)

    def _sync_vectors(self, tenant_id: str, progress: Progress) -> int:
        revision = self._get_revision(tenant_id)
        if revision is None:
            return 0
        space, after = self._spaces.of(revision.model), revision.indexed
        if not space.index.exists(tenant_id, revision.epoch):
            self._restart_indexing(tenant_id, revision, space)
            after = 0
        filling = Filling(self._database, space, tenant_id, revision.epoch)
        return filling.run(
            make_end_position(after), revision.number, lambda at: self._mark_position(tenant_id, at, revision), progress
        )

    def _restart_indexing(self, tenant_id: str, revision: Revision, space: VectorSpace) -> None:
        self._mark_position(tenant_id, make_end_position(0), revision, restart=True)
        space.index.create(tenant_id, revision.epoch)

    def _mark_position(self, tenant_id: str, at: Position, revision: Revision, *, restart: bool = False) -> None:
        with self._database.session() as session:
            editor.mark_indexed(session, tenant_id, get_complete_revision(at), revision.model, restart=restart)

    def _get_revision(self, tenant_id: str) -> Revision | None:
        with self._database.session() as session:
            return editor.revision_of(session, tenant_id)

    def _make_progress_reporter(self, tenant_id: str, progress: Progress) -> Callable[[], None]:
        """Return a callback that reports the progress of another process indexing the same tenant."""
        total = 0

        def report_progress() -> None:
            nonlocal total
            revision = self._get_revision(tenant_id)
            with self._database.session() as session:
                left = editor.changed_count(session, tenant_id, revision.indexed) if revision else 0
            total = max(total, left)
            progress(total - left, total)

        return report_progress

    @contextmanager
    def _hold_index_lock(self, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the lock that lets one process per machine embed; several would duplicate the work."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as file:
            while not _is_locked(file):
                waiting()
                self._pause(LOOK_AGAIN_S)
            yield


def _is_locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sync_quietly(
    synchroniser: Synchroniser, tenant_id: str, progress: Progress = ignore_progress
) -> KnowledgeUnavailable | None:
    """Sync and return the error, instead of raising it, if the vector index is unavailable."""
    try:
        synchroniser.sync(tenant_id, progress)
    except KnowledgeUnavailable as error:
        return error
    return None
