"""What a customer is sent, by guards, bound and hold-out, and what is noted of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from core.db import Database
from core.db.models import ReuseObservation
from core.feedback.settings import Learning, update_learning_settings
from knowledge.answers.reuse.bound import JudgedUse
from knowledge.answers.reuse.decision import EmptyBook, KnownPhrasing, Reuse, ReuseDecision, SqlReuseStore
from knowledge.embeddings.embedder import Embedder
from knowledge.types import AnswerPart, Entry, Question
from testing.in_memory_answers import make_answering_in_memory

ENTRIES = (
    Entry("delivery", 1, "faq", ("How much is delivery?", "What does shipping cost?"), "Delivery is 4.90."),
    Entry("on", 1, "faq", ("How do I turn on order e-mails?",), "Account, then E-mails, then On."),
    Entry("sale", 1, "faq", ("Can I return a sale item?",), "Yes, within 14 days."),
)
PARAPHRASE = "How much does shipping cost?"


@dataclass
class Notes(EmptyBook):
    learning: Learning = field(default_factory=lambda: Learning(reuse_error=0.05))
    seen: tuple[JudgedUse, ...] = ()
    noted: list[tuple[str, str]] = field(default_factory=list)

    def known(self, tenant_id: str, entry_id: str) -> KnownPhrasing:
        return KnownPhrasing(self.learning, self.seen)

    def note(self, question: Question, entry_id: str, decision: ReuseDecision) -> None:
        self.noted.append((entry_id, decision.verdict))


def ask(embedder: Embedder, notes: Notes, text: str) -> AnswerPart:
    answering = make_answering_in_memory(ENTRIES, embedder, Reuse.shipped(notes))
    return answering.answer(Question("t", text, conversation_id="c", turn_id="u")).parts[0]


def test_a_sure_paraphrase_gets_the_approved_answer(embedder: Embedder) -> None:
    notes = Notes(seen=(JudgedUse(0.6, correct=True),) * 10)
    part = ask(embedder, notes, PARAPHRASE)
    assert (part.text, part.written_by) == ("Delivery is 4.90.", "approved")
    assert notes.noted == [("delivery", "verbatim")]


def test_after_wrong_answers_it_is_offered_rather_than_sent(embedder: Embedder) -> None:
    notes = Notes(seen=(JudgedUse(0.99, correct=False),) * 20)
    part = ask(embedder, notes, PARAPHRASE)
    assert part.outcome == "clarified"
    assert part.choices[0].title == "How much is delivery?"
    assert notes.noted == [("delivery", "near")]


def test_its_own_words_are_always_answered(embedder: Embedder) -> None:
    notes = Notes(seen=(JudgedUse(0.99, correct=False),) * 20)
    assert ask(embedder, notes, "what does shipping cost").written_by == "approved"


def test_the_opposite_is_never_sent(embedder: Embedder) -> None:
    notes = Notes(learning=Learning(reuse_error=0.49), seen=(JudgedUse(0.5, correct=True),) * 100)
    assert ask(embedder, notes, "How do I turn off order e-mails?").written_by != "approved"
    assert notes.noted == []


def test_a_held_back_answer_is_not_used_at_all(embedder: Embedder) -> None:
    sure = (JudgedUse(0.6, correct=True),) * 10
    notes = Notes(learning=Learning.model_construct(**{**Learning().model_dump(), "hold_out": 1.0}), seen=sure)
    part = ask(embedder, notes, PARAPHRASE)
    assert "4.90" not in part.text
    assert "How much is delivery?" not in [choice.title for choice in part.choices]
    assert [entry.id for entry in part.evidence if entry.id == "delivery"] == []
    assert notes.noted == [("delivery", "held_out")]


def test_it_is_kept_with_the_turn_and_only_with_a_turn(database: Database) -> None:
    book = SqlReuseStore(database)
    question = Question("t", PARAPHRASE, conversation_id="c", turn_id="u")
    book.note(question, "e", ReuseDecision("verbatim", 0.9))
    book.note(replace(question, turn_id=None), "e", ReuseDecision("near", 0.5))
    with database.session() as session:
        (row,) = session.query(ReuseObservation).all()
        assert (row.entry_id, row.turn_id, row.text, row.score, row.reused) == ("e", "u", PARAPHRASE, 0.9, True)


def test_the_tenants_own_error_counts(sqlite: Database) -> None:
    with sqlite.session() as session:
        update_learning_settings(session, "t", {"reuse_error": 0.2}, "ann")
    known = SqlReuseStore(sqlite).known("t", "e")
    assert (known.settings.reuse_error, known.seen) == (0.2, [])


@pytest.mark.parametrize("text", ["", "?", "🙂", "x" * 3000])
def test_odd_questions_are_unknown(embedder: Embedder, text: str) -> None:
    assert ask(embedder, Notes(), text).outcome == "unknown"
