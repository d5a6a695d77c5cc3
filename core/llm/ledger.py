"""Ledger with one row per model call, written in batches without delaying answers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import structlog
from sqlalchemy import func, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import LlmCall, generate_id, get_current_time

log = structlog.get_logger()

BATCH_SECONDS = 0.1
BATCH = 1000
LONGEST_WAIT = 10.0
MOST_WAITING = 100_000
"""Rows kept while the database is unavailable; further rows are dropped and counted."""


class Ledger:
    """Records model calls; rows that could not be written are retried."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[LlmCall] = []
        self._writing = asyncio.Lock()
        self._something = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unsure = False
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """Number of rows not written yet."""
        return len(self._waiting)

    async def start(self) -> None:
        """Start writing in the background."""
        self._task = asyncio.create_task(self._write_on())

    async def close(self) -> None:
        """Write the remaining rows and stop."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        try:
            await self.flush()
        except SQLAlchemyError as error:
            log.error("calls not written", calls=len(self._waiting), error=str(error))  # noqa: TRY400

    def record(self, call: LlmCall) -> None:
        """Queue a call for writing; does not block."""
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        call.id = call.id or generate_id()
        call.created_at = call.created_at or get_current_time()
        self._waiting.append(call)
        self._something.set()

    async def flush(self) -> None:
        """Write all rows recorded so far.

        Raises:
            SQLAlchemyError: the database is unavailable; nothing is lost.
        """
        await asyncio.shield(
            asyncio.ensure_future(self._write_batches())
        )  # cancelled midway, a batch could be written twice

    async def _write_batches(self) -> None:
        async with self._writing:
            while batch := self._waiting[:BATCH]:
                rows, unsure = [_build_call_row(call) for call in batch], self._unsure
                self._unsure = True
                await self._database.run(lambda session, r=rows, u=unsure: _insert_calls(session, r, unsure=u))  # type: ignore[misc]
                self._unsure = False
                del self._waiting[: len(batch)]

    async def spent_today(self, tenant_id: str | None) -> Decimal:
        """Return the cost since midnight UTC of one tenant's calls, or of all tenants' with None.

        Raises:
            SQLAlchemyError: the database is unavailable.
        """
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        query = select(func.sum(LlmCall.cost)).where(LlmCall.created_at >= midnight)
        return await self._sum_cost(query if tenant_id is None else query.where(LlmCall.tenant_id == tenant_id))

    async def spent_conversation(self, conversation_id: str) -> Decimal:
        """Return the cost of all calls of a conversation.

        Raises:
            SQLAlchemyError: the database is unavailable.
        """
        return await self._sum_cost(select(func.sum(LlmCall.cost)).where(LlmCall.conversation_id == conversation_id))

    async def _sum_cost(self, query: Any) -> Decimal:
        await self.flush()
        return await self._database.run(lambda session: session.scalar(query)) or Decimal(0)

    async def _write_on(self) -> None:
        wait = BATCH_SECONDS
        while True:
            await self._something.wait()
            await asyncio.sleep(wait)
            self._something.clear()
            try:
                await self.flush()
                wait = BATCH_SECONDS
            except SQLAlchemyError as error:
                wait = min(wait * 2, LONGEST_WAIT)
                self._something.set()
                log.warning("calls not written yet", calls=len(self._waiting), error=str(error))


def _insert_calls(session: Session, rows: list[dict[str, Any]], *, unsure: bool) -> None:
    if unsure:  # the last attempt may have been committed, and only its confirmation lost
        there = set(session.scalars(select(LlmCall.id).where(LlmCall.id.in_([row["id"] for row in rows]))))
        rows = [row for row in rows if row["id"] not in there]
    if rows:
        session.execute(insert(LlmCall), rows)


COLUMNS = tuple(column.key for column in LlmCall.__mapper__.column_attrs)


def _build_call_row(call: LlmCall) -> dict[str, Any]:
    """Return every column, so that all rows of a batch have the same keys; unset ones get their defaults."""
    values = call.__dict__
    return {name: values.get(name, DEFAULTS.get(name)) for name in COLUMNS}


DEFAULTS: dict[str, Any] = {
    column.key: column.columns[0].default.arg
    for column in LlmCall.__mapper__.column_attrs
    if column.columns[0].default is not None and column.columns[0].default.is_scalar
} | {"complexity_parts": {}}
