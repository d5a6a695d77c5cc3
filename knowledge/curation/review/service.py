"""Apply review decisions: commit, drop cached answers, and index."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy.orm import Session

from core.db import Database
from knowledge.entries import contradictions, editor
from knowledge.index.synchroniser import Synchroniser, sync_quietly

log = structlog.get_logger()
T = TypeVar("T")


class ReviewService:
    """Runs changes by staff and puts them into effect at once."""

    def __init__(
        self,
        database: Database,
        synchroniser: Synchroniser,
        forget: Callable[[str], None] = lambda _tenant_id: None,
    ) -> None:
        self._database = database
        self._synchroniser = synchroniser
        self._forget = forget
        """Drops a tenant's cached answers; called in the event loop."""

    async def decide(self, tenant_id: str, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction; if it changed entries, the indexes are updated before this returns.

        While Chroma is unavailable the change is stored anyway; the worker indexes it later.
        """

        def apply_decision(session: Session) -> tuple[T, bool]:
            result = work(session)
            session.flush()
            revision = editor.revision_of(session, tenant_id)
            changed = revision is not None and revision.indexed < revision.number
            if changed:
                contradictions.sync_contradiction_items(session, tenant_id)
            return result, changed

        result, changed = await self._database.run(apply_decision)
        if changed:
            self._forget(tenant_id)
            if late := await asyncio.to_thread(sync_quietly, self._synchroniser, tenant_id):
                log.warning("a change is not indexed yet", tenant=tenant_id, cause=str(late))
            self._forget(tenant_id)
        return result
