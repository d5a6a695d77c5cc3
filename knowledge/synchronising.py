"""Brings the vector index and the word index up to what SQL says; doing it twice does no harm."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from core.db import Database
from core.errors import KnowledgeUnavailable
from knowledge import entries
from knowledge.chunking import spoken_parts
from knowledge.embedding import Vectors
from knowledge.entries import Changed, Revision
from knowledge.index import VECTORS_PER_ENTRY, VectorIndex
from knowledge.lexical import LexicalIndex, Reached
from knowledge.types import Entry

BATCH = 500
LAST_ID = "Z" * 27
"""Sorts after every id in every database's order."""
Progress = Callable[[int, int], None]


class Embeds(Protocol):
    """Turns texts into unit vectors."""

    def embed(self, texts: list[str]) -> Vectors:
        """One row a text."""


@dataclass(frozen=True)
class Counts:
    """How many entries are served by SQL and held by each index."""

    served: int
    vectors: int
    words: int

    @property
    def agree(self) -> bool:
        """Whether all three are the same."""
        return self.served == self.vectors == self.words


def silent(_done: int, _total: int) -> None:
    """No progress is shown."""


class Synchroniser:
    """Moves changes from SQL into both indexes."""

    def __init__(
        self, database: Database, vectors: VectorIndex, words: LexicalIndex, embedder: Embeds, lock: Path
    ) -> None:
        self._database = database
        self._vectors = vectors
        self._words = words
        self._embedder = embedder
        self._lock = lock

    def sync(self, tenant_id: str, progress: Progress = silent) -> int:
        """Take over what both indexes have missed; the number of entries that went to the vector index.

        Raises:
            KnowledgeUnavailable: Chroma cannot be reached; the word index is up to date all the same.
        """
        self.sync_words(tenant_id)
        with self._alone():
            return self._sync_vectors(tenant_id, progress)

    def sync_all(self) -> int:
        """Every tenant, also one whose vector index was lost; for a job that runs again and again."""
        with self._database.session() as session:
            tenants = entries.tenants(session)
        return sum(self.sync(tenant_id) for tenant_id in tenants)

    def sync_words(
        self, tenant_id: str, at_most: int | None = None, tries: int = 40, revision: Revision | None = None
    ) -> bool:
        """Catch up the word index; not at all where more than ``at_most`` entries are missing."""
        revision = revision or self._revision(tenant_id)
        reached = self._words.reached(tenant_id)
        if revision is None or reached == Reached(revision.epoch, revision.number):
            return True
        after = reached.revision if reached.epoch == revision.epoch and reached.revision <= revision.number else 0
        with self._database.session() as session:
            missing = entries.changed_count(session, tenant_id, after)
        if at_most is not None and missing > at_most:
            return False
        if after == 0 and reached.revision:
            self._words.clear(tenant_id)
        return self._write_words(tenant_id, revision, after, tries)

    def rebuild(self, tenant_id: str, progress: Progress = silent) -> Counts:
        """Make both indexes anew and compare them with SQL."""
        revision = self._revision(tenant_id)
        if revision is None:
            return Counts(0, 0, 0)
        self._words.clear(tenant_id)
        self.sync_words(tenant_id)
        with self._alone():
            self._restart(tenant_id, revision.epoch)
            self._sync_vectors(tenant_id, progress)
        return self.counts(tenant_id, revision.epoch)

    def counts(self, tenant_id: str, epoch: str) -> Counts:
        """Entries in SQL and in each index."""
        with self._database.session() as session:
            served = entries.served_count(session, tenant_id)
        return Counts(served, len(self._vectors.entry_ids(tenant_id, epoch)), self._words.count(tenant_id))

    def _write_words(self, tenant_id: str, revision: Revision, after: int, tries: int) -> bool:
        for batch in self._batches(tenant_id, after):
            after = max(after, _settled(batch))
            if not self._words.write(tenant_id, batch, Reached(revision.epoch, after), tries=tries):
                return False
        if after >= revision.number:
            return True
        return self._words.write(tenant_id, [], Reached(revision.epoch, revision.number), tries=tries)

    def _sync_vectors(self, tenant_id: str, progress: Progress) -> int:
        revision = self._revision(tenant_id)
        if revision is None:
            return 0
        if not self._vectors.exists(tenant_id, revision.epoch):
            self._restart(tenant_id, revision.epoch)
            revision = Revision(revision.epoch, revision.number, 0)
        with self._database.session() as session:
            total = entries.changed_count(session, tenant_id, revision.indexed)
        done = 0
        for batch in self._batches(tenant_id, revision.indexed):
            self._push_current(tenant_id, revision.epoch, batch)
            done += len(batch)
            progress(done, max(done, total))
            self._mark(tenant_id, _settled(batch))
        self._mark(tenant_id, revision.number)
        return done

    def _push_current(self, tenant_id: str, epoch: str, batch: Sequence[Changed]) -> None:
        """Push, then look again: what changed meanwhile was perhaps pushed by another process and is now older here."""
        while batch:
            self._push(tenant_id, epoch, batch)
            pushed = {change.id: change.version for change in batch}
            with self._database.session() as session:
                batch = entries.changed_among(session, tenant_id, pushed)

    def _push(self, tenant_id: str, epoch: str, batch: Sequence[Changed]) -> None:
        served = {change.id: change.entry for change in batch if change.entry is not None}
        vectors = self._embedded(served)
        self._vectors.push(tenant_id, epoch, vectors)
        beyond = {c.id: len(vectors.get(c.id, ())) for c in batch if c.version > 1}
        if beyond:
            self._vectors.remove(tenant_id, epoch, beyond)

    def _embedded(self, served: dict[str, Entry]) -> dict[str, Vectors]:
        texts = {entry_id: spoken_parts(entry)[:VECTORS_PER_ENTRY] for entry_id, entry in served.items()}
        flat = [text for own in texts.values() for text in own]
        if not flat:
            return {}
        ends = np.cumsum([len(own) for own in texts.values()])[:-1]
        return dict(zip(texts, np.split(self._embedder.embed(flat), ends), strict=True))

    def _restart(self, tenant_id: str, epoch: str) -> None:
        self._mark(tenant_id, 0, restart=True)
        self._vectors.create(tenant_id, epoch)

    def _mark(self, tenant_id: str, revision: int, *, restart: bool = False) -> None:
        with self._database.session() as session:
            entries.mark_indexed(session, tenant_id, revision, restart=restart)

    def _revision(self, tenant_id: str) -> Revision | None:
        with self._database.session() as session:
            return entries.revision_of(session, tenant_id)

    def _batches(self, tenant_id: str, revision: int) -> Iterator[list[Changed]]:
        after = (revision, LAST_ID)
        while True:
            with self._database.session() as session:
                batch = entries.changed(session, tenant_id, after, BATCH)
            if batch:
                yield batch
            if len(batch) < BATCH:
                return
            after = (batch[-1].revision, batch[-1].id)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process of this machine at a time embeds; several would only do the same work."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _settled(batch: Sequence[Changed]) -> int:
    """The revision that is surely complete: the last one of a full batch may go on in the next."""
    return batch[-1].revision - (1 if len(batch) == BATCH else 0)


def sync_quietly(
    synchroniser: Synchroniser, tenant_id: str, progress: Progress = silent
) -> KnowledgeUnavailable | None:
    """Sync, and hand back why the vector index could not be reached instead of raising it."""
    try:
        synchroniser.sync(tenant_id, progress)
    except KnowledgeUnavailable as error:
        return error
    return None
