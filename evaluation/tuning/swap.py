"""Replace an embedding model: index with the new one while the old one serves, then switch all processes at once."""

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
"""Maximum rounds of catching up with concurrent knowledge changes; each takes a fraction of a second."""


@dataclass(frozen=True)
class Swap:
    """Replaces one model by another for a tenant."""

    knowledge: Knowledge

    def in_force(self, tenant_id: str) -> str | None:
        """Return the folder of the deployed model below ``home``, or None for the base model."""
        revision = self._find_revision(tenant_id)
        return revision.model if revision else None

    def to(
        self, tenant_id: str, model: str | None, record: Callable[[Session], None], tell: Callable[[float], None]
    ) -> None:
        """Fill the model's index, then activate it in one transaction with what ``record`` writes.

        Until then nothing changes for anyone; after an interruption, another call resumes the work.

        Raises:
            KnowledgeUnavailable: Chroma cannot be reached, or the model's files are missing; the other model keeps serving.
            Conflict: the knowledge kept changing.
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
        """Store the position of the replaced index, from which a rollback continues; without it, indexing starts over."""
        try:
            self.knowledge.spaces.of(before.model).index.note_reached(
                tenant_id, before.epoch, make_end_position(before.indexed)
            )
        except KnowledgeUnavailable as error:
            log.warning("going back will make all vectors again", model=before.model, error=str(error))

    def _find_revision(self, tenant_id: str) -> Revision | None:
        with self.knowledge.database.session() as session:
            return editor.revision_of(session, tenant_id)
