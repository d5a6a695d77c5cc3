"""Database engine, sessions, models and migrations."""

from core.db.engine import Database

__all__ = ["Database"]
