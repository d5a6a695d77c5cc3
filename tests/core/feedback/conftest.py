"""A session that a test tells its conversations in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from core.db import Database


@pytest.fixture
def session(sqlite: Database) -> Iterator[Session]:
    with sqlite.session() as session:
        yield session


@pytest.fixture
def each_session(database: Database) -> Iterator[Session]:
    """On each kind of database."""
    with database.session() as session:
        yield session
