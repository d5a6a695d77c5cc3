"""Fills one vector space with a tenant's entries; doing it twice does no harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.db import Database
from knowledge import entries
from knowledge.chunking import spoken_parts
from knowledge.embedding import Vectors
from knowledge.entries import Changed
from knowledge.index import VECTORS_PER_ENTRY
from knowledge.spaces import VectorSpace
from knowledge.types import Entry

BATCH = 500
LAST_ID = "Z" * 27
"""Sorts after every id in every database's order."""
Progress = Callable[[int, int], None]


def silent(_done: int, _total: int) -> None:
    """No progress is shown."""


def batches(database: Database, tenant_id: str, revision: int) -> Iterator[list[Changed]]:
    """What changed after a revision, in the order of its changes."""
    after = (revision, LAST_ID)
    while True:
        with database.session() as session:
            batch = entries.changed(session, tenant_id, after, BATCH)
        if batch:
            yield batch
        if len(batch) < BATCH:
            return
        after = (batch[-1].revision, batch[-1].id)


def settled(batch: Sequence[Changed]) -> int:
    """The revision that is surely complete: the last one of a full batch may go on in the next."""
    return batch[-1].revision - (1 if len(batch) == BATCH else 0)


@dataclass(frozen=True)
class Filling:
    """Moves a tenant's changes from SQL into one vector space."""

    database: Database
    space: VectorSpace
    tenant_id: str
    epoch: str

    def run(self, after: int, until: int, mark: Callable[[int], None], progress: Progress = silent) -> int:
        """Take over what changed after a revision; ``mark`` hears up to which one the index holds everything.

        Raises:
            KnowledgeUnavailable: Chroma cannot be reached.
        """
        with self.database.session() as session:
            total = entries.changed_count(session, self.tenant_id, after)
        done = 0
        for batch in batches(self.database, self.tenant_id, after):
            self._push_current(batch)
            done += len(batch)
            progress(done, max(done, total))
            mark(settled(batch))
        mark(until)
        return done

    def _push_current(self, batch: Sequence[Changed]) -> None:
        """Push, then look again: what changed meanwhile was perhaps pushed by another process and is now older here."""
        while batch:
            self._push(batch)
            pushed = {change.id: change.version for change in batch}
            with self.database.session() as session:
                batch = entries.changed_among(session, self.tenant_id, pushed)

    def _push(self, batch: Sequence[Changed]) -> None:
        served = {change.id: change.entry for change in batch if change.entry is not None}
        vectors = self._embedded(served)
        self.space.index.push(self.tenant_id, self.epoch, vectors)
        beyond = {c.id: len(vectors.get(c.id, ())) for c in batch if c.version > 1}
        if beyond:
            self.space.index.remove(self.tenant_id, self.epoch, beyond)

    def _embedded(self, served: dict[str, Entry]) -> dict[str, Vectors]:
        texts = {entry_id: spoken_parts(entry)[:VECTORS_PER_ENTRY] for entry_id, entry in served.items()}
        flat = [text for own in texts.values() for text in own]
        if not flat:
            return {}
        ends = np.cumsum([len(own) for own in texts.values()])[:-1]
        return dict(zip(texts, np.split(self.space.embedder.embed(flat), ends), strict=True))
