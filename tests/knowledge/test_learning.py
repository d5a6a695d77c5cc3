"""Conversations that were approved become what the bot answers next time."""

from __future__ import annotations

import json

import pytest

from core.db import Database
from knowledge.curation.conversation_import import Learnt, parse_conversations, store_conversations
from knowledge.entries import editor
from knowledge.entries.editor import Change

TURNS = [
    {"speaker": "user", "text": "I am looking at the Archway House."},
    {"speaker": "system", "text": "The Archway House is a guesthouse. Shall I book?"},
    {"speaker": "Customer", "text": "Can I pay with cash?"},
    {"speaker": "agent", "text": "No, cards only at Archway House."},
]
ANA = Change("ana", "approved")


def line(**changes: object) -> str:
    return json.dumps({"conversation_id": "c1", "turns": TURNS, "approved": True, **changes})


def learn(database: Database, *lines: str, approve: bool = True) -> Learnt:
    conversations, failed = parse_conversations(lines)
    assert not failed
    return store_conversations(database, "t", conversations, ANA, approve=approve)


def test_the_last_question_and_its_answer_are_learnt(database: Database) -> None:
    assert learn(database, line()) == Learnt(1, 0, 1, ())
    with database.session() as session:
        stored = editor.list_entries(session, "t")[0]
        content = editor.content_of(stored)
    assert (content.questions, content.answer) == (("Can I pay with cash?",), "No, cards only at Archway House.")
    assert (content.subject, content.external_id, stored.status) == ("Archway House", "c1", "approved")
    assert [turn.speaker for turn in content.context] == ["customer", "bot"]


def test_the_same_conversation_again_is_unchanged(database: Database) -> None:
    learn(database, line())
    assert learn(database, line(), line()) == Learnt(0, 2, 0, ())


def test_one_conversation_exported_at_two_moments_teaches_both_answers(database: Database) -> None:
    more = [*TURNS, {"speaker": "user", "text": "Is there a garden?"}, {"speaker": "agent", "text": "Yes."}]
    assert learn(database, line(), line(turns=more)) == Learnt(2, 0, 2, ())
    assert learn(database, line(turns=more), line()) == Learnt(0, 2, 0, ())
    with database.session() as session:
        assert [e.external_id for e in editor.list_entries(session, "t")] == ["c1", "c1"]


def test_a_conversation_may_be_learnt_from_later(database: Database) -> None:
    assert learn(database, line(), approve=False).entries == 0
    assert learn(database, line()) == Learnt(0, 1, 1, ())


def test_only_approved_ones_with_an_agents_answer_teach(database: Database) -> None:
    learnt = learn(database, line(approved=False), line(conversation_id="c2", turns=TURNS[:3]))
    assert (learnt.added, learnt.entries) == (2, 0)
    assert [(f.uri, f.reason) for f in learnt.failed] == [("c2", "no agent answers its last question")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        (line(conversation_id=None), "conversation_id is missing"),
        (line(conversation_id="x" * 300), "longer than"),
        (line(turns=[]), "turns is missing"),
        (line(turns=[{"speaker": "user"}]), "turn 1 has no text"),
        (line(turns=[{"speaker": "alien", "text": "hi"}]), "unknown speaker 'alien'"),
        (line(approved="yes"), "neither true nor false"),
    ],
)
def test_wrong_lines_are_reported_by_number(text: str, reason: str) -> None:
    conversations, failed = parse_conversations([line(), "", text])
    assert len(conversations) == 1
    assert failed[0].uri == "line 3"
    assert reason in failed[0].reason
