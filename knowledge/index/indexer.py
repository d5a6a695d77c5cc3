"""Indexes a tenant's entries in one vector space; idempotent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.db import Database
from knowledge.entries import editor
from knowledge.entries.editor import Changed
from knowledge.index.spaces import VectorSpace

BATCH = 100
"""Entries per batch; a batch takes some ten seconds, after which progress is reported."""
LAST_ID = "Z" * 27
"""Sorts after every id, in every database."""
Progress = Callable[[int, int], None]
Position = tuple[int, str]
"""A revision and its last indexed entry; one import is one revision, however large."""


def ignore_progress(_done: int, _total: int) -> None:
    """Progress callback that does nothing."""


def read_change_batches(database: Database, tenant_id: str, after: Position) -> Iterator[list[Changed]]:
    """Yield batches of the changes after a position, in order."""
    while True:
        with database.session() as session:
            batch = editor.list_changed_entries(session, tenant_id, after, BATCH)
        if batch:
            yield batch
        if len(batch) < BATCH:
            return
        after = (batch[-1].revision, batch[-1].id)


def make_end_position(revision: int) -> Position:
    """Return the position at which a revision is complete."""
    return (revision, LAST_ID)


def get_complete_revision(position: Position) -> int:
    """Return the latest revision that is certainly complete; the position's own may continue."""
    return position[0] - (position[1] != LAST_ID)


@dataclass(frozen=True)
class Filling:
    """Copies a tenant's changes from SQL into one vector space."""

    database: Database
    space: VectorSpace
    tenant_id: str
    epoch: str

    def run(
        self, after: Position, until: int, mark: Callable[[Position], None], progress: Progress = ignore_progress
    ) -> int:
        """Index the changes after a position up to a revision; ``mark`` is called with each position reached.

        Raises:
            KnowledgeUnavailable: Chroma cannot be reached.
        """
        with self.database.session() as session:
            total = editor.changed_count(session, self.tenant_id, get_complete_revision(after))
        done = 0
        progress(done, total)
        for batch in read_change_batches(self.database, self.tenant_id, after):
            self._push_current(batch)
            done += len(batch)
            progress(done, max(done, total))
            mark((batch[-1].revision, batch[-1].id))
        mark(make_end_position(until))
        return done

    def _push_current(self, batch: list[Changed]) -> None:
        """Push a batch, then what changed meanwhile, since another process may have pushed a newer version."""
        while batch:
            self._push_batch(batch)
            pushed = {change.id: change.version for change in batch}
            with self.database.session() as session:
                batch = editor.changed_among(session, self.tenant_id, pushed)

    def _push_batch(self, batch: list[Changed]) -> None:
        vectors = self.space.texts.embed_entries([change.entry for change in batch if change.entry is not None])
        self.space.index.push(self.tenant_id, self.epoch, vectors)
        beyond = {c.id: len(vectors.get(c.id, ())) for c in batch if c.version > 1}
        if beyond:
            self.space.index.remove(self.tenant_id, self.epoch, beyond)
