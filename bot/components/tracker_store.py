"""Rasa's SQL tracker store with SQLite's write-ahead log: a saved turn costs no wait for the disk."""

from __future__ import annotations

from typing import Any

from rasa.core.tracker_store import SQLTrackerStore
from sqlalchemy import event


class TrackerStore(SQLTrackerStore):
    """As Rasa's own; on PostgreSQL nothing differs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare)
            self.engine.dispose()


def _prepare(connection: Any, _record: Any) -> None:
    """After a power cut the last turns may be missing, never damaged; `app` has stored them all the same."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
