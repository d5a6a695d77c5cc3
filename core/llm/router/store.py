"""Stores each tenant's routing document in the table ``routing``, with a cache of a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import Routing, get_current_time
from core.errors import RulesInvalid
from core.llm.router.rules import DEFAULT, RoutingDocument
from core.llm.router.validation import validate_routing

log = structlog.get_logger()

FRESH_SECONDS = 3.0
UNSAVED = 0


@dataclass
class _Known:
    document: RoutingDocument
    version: int
    looked_at: float


class RoutingStore:
    """Reads and writes routing documents; ``models`` are the ids of models.yml, None skips checking model names."""

    def __init__(
        self, database: Database, models: Collection[str] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._models = models
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def get(self, tenant_id: str) -> RoutingDocument:
        """Return the tenant's document, or the defaults; blocks briefly on the database every few seconds."""
        if not self.is_fresh(tenant_id):
            with self._database.session() as session:
                self._refresh_routing(session, tenant_id)
        return self._known[tenant_id].document

    def known(self, tenant_id: str) -> RoutingDocument | None:
        """Return the last document read, however old, or None."""
        known = self._known.get(tenant_id)
        return known.document if known else None

    def is_fresh(self, tenant_id: str) -> bool:
        """Whether it was read within the last seconds."""
        known = self._known.get(tenant_id)
        return known is not None and self._clock() - known.looked_at < FRESH_SECONDS

    async def freshen(self, tenant_id: str) -> None:
        """Check for changes; while the database is unavailable, the last known document stays valid."""
        try:
            await self._database.run(lambda session: self._refresh_routing(session, tenant_id))
        except SQLAlchemyError as error:
            log.warning("routing rules not read", tenant=tenant_id, error=str(error))
            known = self._known.setdefault(tenant_id, _Known(DEFAULT, UNSAVED, 0.0))
            known.looked_at = self._clock()

    def put(self, tenant_id: str, document: dict[str, Any], by: str) -> RoutingDocument:
        """Validate and store the document; other processes use it within seconds.

        Raises:
            RulesInvalid: lists all reasons.
        """
        parsed = validate_routing(document, self._models)
        with self._database.session() as session:
            row = session.scalar(select(Routing).where(Routing.tenant_id == tenant_id).with_for_update())
            if row is None:
                row = Routing(tenant_id=tenant_id, version=UNSAVED)
                session.add(row)
            row.document = parsed.model_dump(mode="json")
            row.version += 1
            row.updated_by, row.updated_at = by, get_current_time()
        self._known.pop(tenant_id, None)
        return parsed

    def reset(self, tenant_id: str) -> RoutingDocument:
        with self._database.session() as session:
            row = session.scalar(select(Routing).where(Routing.tenant_id == tenant_id))
            if row is not None:
                session.delete(row)
        self._known.pop(tenant_id, None)
        return DEFAULT

    def _refresh_routing(self, session: Session, tenant_id: str) -> None:
        known = self._known.get(tenant_id)
        query = select(Routing.id, Routing.version, Routing.updated_at).where(Routing.tenant_id == tenant_id)
        found = session.execute(query).one_or_none()
        version = UNSAVED if found is None else hash((found.id, found.version))
        if known is None or known.version != version:
            self._known[tenant_id] = _Known(self._load_routing(session, tenant_id), version, self._clock())
        else:
            known.looked_at = self._clock()

    def _load_routing(self, session: Session, tenant_id: str) -> RoutingDocument:
        stored = session.scalar(select(Routing.document).where(Routing.tenant_id == tenant_id))
        try:
            return DEFAULT if stored is None else validate_routing(stored, None)
        except RulesInvalid as error:  # written by another version of this program
            log.error("stored routing rules cannot be used; the defaults hold", tenant=tenant_id, error=str(error))  # noqa: TRY400
            return DEFAULT
