"""A tenant with knowledge on a real Chroma server, and the fine-tuning of its embedding model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from core.db import Database
from core.settings import Settings
from evaluation.tuning.service import Tuning
from knowledge.services import Knowledge
from tests.evaluation.tuning.doubles import Tuned, make, opened, store


@dataclass
class World:
    settings: Settings
    database: Database
    tenant: str = field(default_factory=lambda: f"shop-{uuid4().hex[:8]}")
    model: object = field(default_factory=Tuned)
    others: list[Knowledge] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tuning = make(self.settings, self.database, lambda _: self.model)
        self.ids = store(self.database, self.tenant)
        self.tuning.knowledge.synchroniser.sync(self.tenant)

    def other_process(self) -> Knowledge:
        self.others.append(opened(self.settings, self.database, lambda _: Tuned()))
        return self.others[-1]

    def trained(self, reason: str = "") -> str:
        session_id = self.tuning.start_training(self.tenant, "ana", reason)
        self.tuning.run(session_id)
        return session_id

    def row(self, session_id: str) -> dict[str, object]:
        return next(row for row in self.tuning.listed(self.tenant) if row["id"] == session_id)

    def restarted(self) -> Tuning:
        """As after a restart of the worker."""
        self.tuning.knowledge.close()
        self.tuning = make(self.settings, self.database, lambda _: self.model)
        return self.tuning

    def close(self) -> None:
        for knowledge in (self.tuning.knowledge, *self.others):
            knowledge.close()


@pytest.fixture
def world(settings: Settings, sqlite: Database, chroma_url: str) -> Iterator[World]:
    made = World(settings.model_copy(update={"chroma_url": chroma_url}), sqlite)
    yield made
    made.close()


@pytest.fixture
def both(settings: Settings, database: Database, chroma_url: str) -> Iterator[World]:
    """On each kind of database."""
    made = World(settings.model_copy(update={"chroma_url": chroma_url}), database)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
