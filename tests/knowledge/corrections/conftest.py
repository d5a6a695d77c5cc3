"""A shop's desk for corrections, over a real Chroma server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from core.db import Database
from core.db.models import Conversation, HumanCorrection, Message, Turn, get_current_time
from core.settings import Settings
from knowledge.answers.decision import Answering
from knowledge.curation.corrections import proposals
from knowledge.curation.corrections.service import Corrections
from knowledge.curation.corrections.types import Proposal
from knowledge.embeddings.embedder import Embedder
from knowledge.types import Question, Utterance
from tests.knowledge.conftest import Shop, opened


@dataclass
class Desk:
    """Staff at work, and customers who ask."""

    shop: Shop
    answering: Answering
    corrections: Corrections

    @property
    def database(self) -> Database:
        return self.shop.knowledge.database

    def asked(self, text: str, *before: Utterance) -> str:
        answer = self.answering.answer(Question(self.shop.tenant, text, before))
        return answer.parts[0].text

    def turn(self, question: str, answer: str, entry_id: str | None, *before: str) -> str:
        """A stored answer of the bot; ``before`` alternates between customer and bot."""
        with self.database.session() as session:
            conversation = Conversation(tenant_id=self.shop.tenant, channel="web")
            session.add(conversation)
            session.flush()

            def said(speaker: str, text: str, **more: Any) -> Message:
                message = Message(
                    tenant_id=self.shop.tenant,
                    conversation_id=conversation.id,
                    seq=conversation.next_seq(),
                    speaker=speaker,
                    text=text,
                    **more,
                )
                session.add(message)
                session.flush()
                return message

            for number, text in enumerate(before):
                said("bot" if number % 2 else "customer", text)
            turn = Turn(
                tenant_id=self.shop.tenant,
                conversation_id=conversation.id,
                message_id=said("customer", question).id,
                channel="web",
                status="answered",
                outcome="answered",
                rateable=True,
                entries=[{"id": entry_id, "version": 1, "score": 0.9, "external_id": None}] if entry_id else [],
                answered_at=get_current_time(),
            )
            session.add(turn)
            session.flush()
            said("bot", answer, turn_id=turn.id)
            return turn.id

    def propose(self, **fields: Any) -> str:
        proposal = Proposal(**{"category": "wrong_fact", "author": "ann", **fields})
        with self.database.session() as session:
            return proposals.propose_correction(session, self.shop.tenant, proposal).id

    def approve(self, correction_id: str, by: str = "bob") -> dict[str, Any]:
        return self.corrections.approve(self.shop.tenant, correction_id, by)

    def undo(self, correction_id: str, by: str = "bob") -> dict[str, Any]:
        return self.corrections.undo(self.shop.tenant, correction_id, by)

    def correction(self, correction_id: str) -> HumanCorrection:
        with self.database.session() as session:
            return session.get_one(HumanCorrection, correction_id)


def desk_of(settings: Settings, database: Database, embedder: Embedder) -> Iterator[Desk]:
    for shop in opened(settings, database, embedder):
        answering = shop.knowledge.answering
        corrections = Corrections(database, shop.knowledge.synchroniser, answering)
        yield Desk(shop, answering, corrections)


@pytest.fixture
def desk(settings: Settings, sqlite: Database, chroma_url: str, embedder: Embedder) -> Iterator[Desk]:
    yield from desk_of(settings.model_copy(update={"chroma_url": chroma_url}), sqlite, embedder)


@pytest.fixture
def each_desk(settings: Settings, database: Database, chroma_url: str, embedder: Embedder) -> Iterator[Desk]:
    """On each kind of database."""
    yield from desk_of(settings.model_copy(update={"chroma_url": chroma_url}), database, embedder)


@pytest.fixture
def desk_without_index(settings: Settings, sqlite: Database, embedder: Embedder) -> Iterator[Desk]:
    """Nobody listens where Chroma should be."""
    yield from desk_of(settings, sqlite, embedder)


@pytest.fixture
def word() -> str:
    return uuid4().hex[:6]
