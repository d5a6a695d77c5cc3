"""The database, as every command opens it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from console.cli.options import tenant_of
from core.db import Database
from core.db.upgrade import upgrade_database
from core.settings import Settings


@contextmanager
def opened(tenant: str | None = None) -> Iterator[tuple[Settings, Database, str]]:
    """Yield the settings, the upgraded database, and the named or configured tenant."""
    settings = Settings.load()
    database = Database(settings.database())
    try:
        upgrade_database(database)
        yield settings, database, tenant_of(settings, tenant)
    finally:
        database.close()
