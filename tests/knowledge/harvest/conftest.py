"""A tenant whose conversations are harvested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest
from sqlalchemy import select

from core.db import Database
from core.db.models import ConversationAnalysis, ReviewItem, generate_id
from core.llm.masking import Masker, make_masker
from knowledge.answers.injection import OrderDetector
from knowledge.curation.conversation_import import ImportedConversation, store_conversations
from knowledge.curation.harvest import Harvester
from knowledge.curation.harvest.pairs import PairFinder
from knowledge.embeddings.cached import CachedEmbedder
from knowledge.embeddings.embedder import Embedder
from knowledge.entries.editor import Change
from knowledge.types import SPEAKERS, Utterance

ASKED = "customer: Hello! Do you deliver to Northern Ireland?"
ANSWERED = "agent: Yes, we deliver to all of the UK. Delivery to Northern Ireland takes five working days and costs £6."
QUESTION = "Do you deliver to Northern Ireland?"
ANSWER = ANSWERED.removeprefix("agent: ")


@pytest.fixture(scope="session")
def finder(embedder: Embedder, masker: Masker) -> PairFinder:
    remembering = CachedEmbedder(embedder)
    return PairFinder(remembering, masker, OrderDetector(remembering))


@pytest.fixture(scope="session")
def masker() -> Masker:
    return make_masker()


@dataclass
class Desk:
    """What was said at a help desk, and what the harvest makes of it."""

    database: Database
    harvester: Harvester
    tenant: str = field(default_factory=lambda: f"desk-{generate_id()[-8:].lower()}")
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def hears(self, *lines: str, approved: bool = False) -> str:
        """A finished conversation of lines such as "customer: ..."; its external id."""
        parts = [line.split(": ", 1) for line in lines]
        turns = tuple(Utterance(SPEAKERS[speaker], text) for speaker, text in parts)
        conversation = ImportedConversation(f"call-{next(self._numbers)}", turns, approved)
        store_conversations(self.database, self.tenant, [conversation], Change("test", "test"), approve=False)
        return conversation.external_id

    def items(self, kind: str = "entry") -> list[ReviewItem]:
        with self.database.session() as session:
            found = select(ReviewItem).filter_by(tenant_id=self.tenant, kind=kind).order_by(ReviewItem.id)
            return list(session.scalars(found))

    def analyses(self) -> list[ConversationAnalysis]:
        with self.database.session() as session:
            found = select(ConversationAnalysis).filter_by(tenant_id=self.tenant)
            return list(session.scalars(found.order_by(ConversationAnalysis.conversation_id)))

    def harvest(self, *lines: str, approved: bool = False) -> list[ReviewItem]:
        """The suggested entries after a conversation."""
        if lines:
            self.hears(*lines, approved=approved)
        self.harvester.process(self.tenant)
        return self.items()


@pytest.fixture
def desk(database: Database, finder: PairFinder) -> Desk:
    return Desk(database, Harvester(database, finder))


@pytest.fixture
def small_desk(sqlite: Database, finder: PairFinder) -> Desk:
    """On SQLite only."""
    return Desk(sqlite, Harvester(sqlite, finder))
