"""The knowledge of one tenant on a real database and a real Chroma server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from core.db import Database
from core.db.models import KnowledgeEntry
from core.settings import Settings
from knowledge.embeddings.embedder import Embedder
from knowledge.entries import editor as entries
from knowledge.entries.content import Content
from knowledge.entries.editor import Change, EntryEditor
from knowledge.imports.importer import Options, Report
from knowledge.imports.sources.fetcher import Fetcher
from knowledge.imports.sources.origins import open_origin
from knowledge.services import Knowledge
from knowledge.types import Candidate, Entry

BY_TEST = Change("tester", "test")


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return Embedder()


@dataclass
class Shop:
    """A tenant with what works on its knowledge."""

    knowledge: Knowledge
    tenant: str

    def add(self, question: str, answer: str, **more: object) -> str:
        with self.knowledge.database.session() as session:
            content = Content("faq", answer, (question,), **more)
            return EntryEditor(session, self.tenant, BY_TEST).add(content, approved=True).id

    def edit(self, entry_id: str, how: str, *content: Content) -> None:
        with self.knowledge.database.session() as session:
            editor = EntryEditor(session, self.tenant, BY_TEST)
            getattr(editor, how)(entries.get_entry(session, self.tenant, entry_id), *content)

    def import_(self, place: Path | str, **options: object) -> Report:
        fetcher = Fetcher()
        try:
            report = self.knowledge.importer.run(self.tenant, open_origin(str(place), fetcher), Options(**options))
        finally:
            fetcher.close()
        self.knowledge.synchroniser.sync(self.tenant)
        return report

    def sync(self) -> int:
        return self.knowledge.synchroniser.sync(self.tenant)

    def ask(self, *texts: str, k: int = 5) -> list[Candidate]:
        return self.knowledge.retriever.candidates(self.tenant, list(texts), k)

    def named(self, text: str) -> list[Entry]:
        return self.knowledge.retriever.named(self.tenant, text)

    def best(self, text: str) -> str:
        return self.ask(text)[0].entry.answer

    def stored(self, status: str | None = None) -> list[KnowledgeEntry]:
        with self.knowledge.database.session() as session:
            return entries.list_entries(session, self.tenant, status, limit=1000)


@pytest.fixture
def shop(settings: Settings, database: Database, chroma_url: str, embedder: Embedder) -> Iterator[Shop]:
    yield from opened(settings.model_copy(update={"chroma_url": chroma_url}), database, embedder)


@pytest.fixture
def small_shop(settings: Settings, sqlite: Database, chroma_url: str, embedder: Embedder) -> Iterator[Shop]:
    """On SQLite only."""
    yield from opened(settings.model_copy(update={"chroma_url": chroma_url}), sqlite, embedder)


def opened(settings: Settings, database: Database, embedder: Embedder) -> Iterator[Shop]:
    knowledge = Knowledge(settings, database, embedder)
    yield Shop(knowledge, f"shop-{uuid4().hex[:8]}")
    knowledge.close()
