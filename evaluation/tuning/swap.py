"""Puts an embedding model in force: its vectors are made while the other one serves, then all processes go over at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session

from core.errors import Conflict, KnowledgeUnavailable
from knowledge.entries import editor
from knowledge.entries.editor import Revision
from knowledge.index.indexer import make_end_position
from knowledge.services import Knowledge

log = structlog.get_logger()

ROUNDS = 100
"""Of catching up with knowledge that changes meanwhile; each is a fraction of a second."""


@dataclass(frozen=True)
class Swap:
    """One model in place of another, for one tenant."""

    knowledge: Knowledge

    def in_force(self, tenant_id: str) -> str | None:
        """The tuned model that serves, by its folder below ``home``; None: the base model."""
        revision = self._find_revision(tenant_id)
        return revision.model if revision else None

    def to(
        self, tenant_id: str, model: str | None, record: Callable[[Session], None], tell: Callable[[float], None]
    ) -> None:
        """Fill the model's index, then put it in force, in one transaction with what ``record`` writes.

        Until then nothing changes for anybody; broken off, it goes on where it was when it is called again.

        Raises:
            KnowledgeUnavailable: Chroma cannot be reached, or the model's files are missing; the other one serves on.
            Conflict: the knowledge changed all the time.
        """
        for _ in range(ROUNDS):
            before = self._find_revision(tenant_id)
            reached = self.knowledge.synchroniser.prepare(
                tenant_id, model, lambda done, total: tell(done / max(total, 1))
            )
            with self.knowledge.database.session() as session:
                if editor.put_in_force(session, tenant_id, model, reached):
                    record(session)
                    break
        else:
            raise Conflict("The knowledge changes faster than it can be indexed; try again in a quieter moment.")
        if before is not None and before.model != model:
            self._store_index_position(tenant_id, before)

    def _store_index_position(self, tenant_id: str, before: Revision) -> None:
        """The replaced index notes how far it was, so that going back begins there; without the note, at the start."""
        try:
            self.knowledge.spaces.of(before.model).index.note_reached(
                tenant_id, before.epoch, make_end_position(before.indexed)
            )
        except KnowledgeUnavailable as error:
            log.warning("going back will make all vectors again", model=before.model, error=str(error))

    def _find_revision(self, tenant_id: str) -> Revision | None:
        with self.knowledge.database.session() as session:
            return editor.revision_of(session, tenant_id)
