"""An explanation tells what decides, and decides nothing itself. What is tested holds for any weights of the reader."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from core.feedback.settings import Learning
from knowledge.answers.explanation import describe_explanation, notes_of, sentence_of
from knowledge.answers.reasons import Reasons
from knowledge.answers.reuse.bound import JudgedUse
from knowledge.answers.reuse.decision import EmptyBook, KnownPhrasing, Reuse, ReuseDecision
from knowledge.embeddings.embedder import Embedder
from knowledge.relevance.bars import Bars
from knowledge.relevance.ranker import Ranked, Ranking
from knowledge.types import AnswerPart, Candidate, Entry, Question, Utterance
from testing.in_memory_answers import make_answering_in_memory

ENTRIES = (
    Entry("delivery", 3, "faq", ("How much is delivery?", "What does shipping cost?"), "Delivery is 4.90."),
    Entry("on", 1, "faq", ("How do I turn on order e-mails?",), "Account, then E-mails, then On."),
    Entry("acorn", 1, "faq", ("Is there free wifi?",), "Yes, it is free.", subject="Acorn Guest House"),
    Entry("wool", 2, "passage", (), "Wash wool by hand in cold water.", title="Care > Caring for wool"),
)
RANKED = Ranked(Candidate(ENTRIES[3], 0.6, 3.0), ENTRIES[3].answer, 1.2, 2.2, 0.7)
BARS = Bars(0.62, 0.25, 0.3)
ASKED = Question("t", "How do I wash it?")


@dataclass
class Notes(EmptyBook):
    """Has judged askings, and writes down what it is told."""

    seen: tuple[JudgedUse, ...] = ()
    hold_out: float = 0.0
    noted: list[str] = field(default_factory=list)

    def known(self, tenant_id: str, entry_id: str) -> KnownPhrasing:
        settings = {**Learning().model_dump(), "reuse_error": 0.05, "hold_out": self.hold_out}
        return KnownPhrasing(Learning.model_construct(**settings), self.seen)

    def note(self, question: Question, entry_id: str, decision: ReuseDecision) -> None:
        if question.turn_id:
            self.noted.append(entry_id)

    def confirm(self, question: Question, entry_id: str) -> None:
        if question.turn_id:
            self.noted.append(entry_id)


def ranked(outcome: str, first: float, known: float = 0.8, **more: object) -> Reasons:
    part = AnswerPart(ASKED.text, outcome, "", first)  # type: ignore[arg-type]
    reasons = Reasons(ASKED, part, rule="ranking", ranking=Ranking((RANKED,), first, known), bars=BARS, near=0.35)
    return replace(reasons, **more)


@pytest.mark.parametrize(
    "text",
    ["how much is delivery", "Shipping price?", "How do I turn off order e-mails?", "Caring for wool", "Who rules France?", "?!"],
)  # fmt: skip
def test_it_is_explained_as_it_is_answered_and_nothing_is_noted(embedder: Embedder, text: str) -> None:
    notes = Notes()
    answering = make_answering_in_memory(ENTRIES, embedder, Reuse.shipped(notes))
    question = Question("t", text, (Utterance("bot", "Hello."),), "c", "u")
    explanation = answering.explain(question)
    assert notes.noted == []
    answer = answering.answer(question)
    assert (explanation.answer.outcome, explanation.answer.parts) == (answer.outcome, answer.parts)
    assert all(reasons.ranking is not None and reasons.bars for reasons in explanation.reasons)
    assert all(part["why"] for part in describe_explanation(explanation)["parts"])


def test_the_bars_are_named(embedder: Embedder) -> None:
    assert sentence_of(ranked("answered", 0.7)) == "Sent as sure: 0.70 is at or above the bar for sure answers, 0.62."
    assert sentence_of(ranked("suggested", 0.41)) == (
        "Sent as likely: 0.41 is at or above the bar for likely answers, 0.25, and below the bar for sure ones, 0.62."
    )
    assert sentence_of(ranked("clarified", 0.2)) == (
        "Asked back: 0.20 is below the bar for likely answers, 0.25; that it is answered at all, 0.80, is at or "
        "above the bar for asking back, 0.30."
    )
    assert sentence_of(ranked("unknown", 0.2, 0.1)) == (
        "Not answered: that it is answered at all, 0.10, is below the bar for asking back, 0.30."
    )


def test_what_is_far_contradicted_or_distrusted_is_told() -> None:
    assert "the nearest entry has a cosine of 0.60, below 0.65" in sentence_of(ranked("unknown", 0.7, near=0.65))
    disputed = AnswerPart(ASKED.text, "suggested", "- A\n- B", 0.7, disputed=True)
    assert "answer this differently" in sentence_of(ranked("suggested", 0.7, part=disputed))
    assert "customers said that it was wrong" in sentence_of(ranked("clarified", 0.7))
    assert sentence_of(ranked("unknown", 0.0, 0.0, ranking=Ranking())) == "Not answered: nothing was found."


def test_a_reuse_its_bound_and_its_hold_out_are_told(embedder: Embedder) -> None:
    def explained(notes: Notes) -> Reasons:
        answering = make_answering_in_memory(ENTRIES, embedder, Reuse.shipped(notes))
        return answering.explain(Question("t", "How much does shipping cost?", conversation_id="c")).reasons[0]

    right, wrong = (JudgedUse(0.6, correct=True),) * 10, (JudgedUse(0.99, correct=False),) * 20
    reused = explained(Notes(right))
    assert reused.rule == "reused"
    assert f"is at or above the entry's bound, {reused.reuse.bound:.2f}" in sentence_of(reused)
    assert "was not reused word for word" in notes_of(explained(Notes(wrong)))[0]
    held = explained(Notes(right, hold_out=1.0))
    assert "is held out of this conversation" in notes_of(held)[0]
    assert held.rule != "reused" and held.held_out


def test_another_subject_is_told(embedder: Embedder) -> None:
    answering = make_answering_in_memory(ENTRIES, embedder)
    asked = Question("t", "Is there free wifi?", (Utterance("bot", "How about the Golden Palace?"),))
    assert "“Is there free wifi?” was left out: the conversation is about another subject." in notes_of(
        answering.explain(asked).reasons[0]
    )
