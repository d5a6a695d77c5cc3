"""Messages that nobody understood become proposals: more of a known intent, or a new one."""

from __future__ import annotations

import numpy as np

from core.bot.parts import BotParts
from core.db import Database
from core.db.models import Conversation, Message, TrainingExample, Turn
from evaluation.training.suggestions import cluster_vectors, suggest_examples
from knowledge.embeddings.embedder import Embedder

T = "shop"
WRAP = [
    "do you offer gift wrapping?",
    "can it be gift wrapped",
    "I'd like gift wrapping for my order",
    "gift wrap please",
]
MONEY = ["I want my money back please", "want my money back!", "i want the money back"]
ALONE = ["what is the airspeed of a swallow"]


def unknown(database: Database, texts: list[str]) -> None:
    with database.session() as session:
        talk = Conversation(tenant_id=T, channel="web")
        session.add(talk)
        session.flush()
        for seq, text in enumerate(texts):
            message = Message(tenant_id=T, conversation_id=talk.id, seq=seq, speaker="customer", text=text)
            session.add(message)
            session.flush()
            session.add(
                Turn(tenant_id=T, conversation_id=talk.id, message_id=message.id, channel="web", outcome="unknown")
            )


def test_clusters_become_proposals_and_are_not_proposed_twice(database: Database, parts: BotParts) -> None:
    unknown(database, [*WRAP, *MONEY, *ALONE, WRAP[0]])
    with database.session() as session:
        found = suggest_examples(session, T, parts, Embedder())
    assert {(c.intent, c.known, len(c.texts)) for c in found} == {("gift_wrapping", False, 4), ("refund", True, 3)}
    with database.session() as session:
        rows = session.query(TrainingExample).all()
        assert {(row.status, row.source) for row in rows} == {("proposed", "cluster")}
        assert {row.text for row in rows} == {*WRAP, *MONEY}
        assert suggest_examples(session, T, parts, Embedder()) == []


def test_nothing_alike_is_nothing() -> None:
    assert len(cluster_vectors(np.eye(5, dtype=np.float32))) == 5
    assert cluster_vectors(np.ones((3, 1), dtype=np.float32)) == [[0, 1, 2]]
