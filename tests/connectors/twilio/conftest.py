"""One fake for all tests of the folder, emptied for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from core.db import Database
from testing.twilio import FakeTwilio
from testing.twilio_rig import Rig


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio() as fake:
        yield fake


@pytest.fixture
async def rig(sqlite: Database, twilio: FakeTwilio, tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(sqlite, twilio, tmp_path).running() as running:
        yield running
