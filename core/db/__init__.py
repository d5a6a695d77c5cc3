"""The database: one engine, sessions, models, migrations."""

from core.db.engine import Database

__all__ = ["Database"]
