from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from core.db import Database
from testing.slack import FakeSlack
from tests.connectors.slack.desk_world import World


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
async def world(slack: FakeSlack, sqlite: Database, tmp_path: Path) -> AsyncIterator[World]:
    world = World(slack, sqlite, tmp_path / "var")
    yield world
    await world.deliver()
    await world.http.aclose()
