"""The matcher: the trained one and its plain double keep the same promises."""

from __future__ import annotations

import pytest

from knowledge.embeddings.embedder import Embedder
from knowledge.relevance.matcher import Matcher, TrainedMatcher
from knowledge.text.features import has_contradiction
from knowledge.types import Candidate, Entry, Question, Utterance

RETURNS = Entry("returns", 1, "faq", ("How do I return an item?",), "Use the form in your account.")
DELIVERY = Entry("delivery", 1, "faq", ("How long does delivery take?",), "Two to four working days.")
ACORN = Entry("acorn", 1, "faq", ("Is there free wifi?",), "Yes, wifi is free.", subject="Acorn Guest House")
LOVELL = Entry("lovell", 1, "faq", ("Is there free wifi?",), "No, it costs 5 pounds.", subject="Lovell Lodge")


@pytest.fixture
def matcher(embedder: Embedder) -> Matcher:
    return TrainedMatcher(embedder)


def candidates(embedder: Embedder, text: str, *entries: Entry) -> list[Candidate]:
    near = embedder.embed([text, *(e.questions[0] for e in entries)])
    return [Candidate(e, float(near[0] @ v), 0.0) for e, v in zip(entries, near[1:], strict=True)]


def test_the_meant_entry_is_first(matcher: Matcher, embedder: Embedder) -> None:
    text = "What is the way to send something back?"
    found = matcher.ranked(Question("t", text), candidates(embedder, text, DELIVERY, RETURNS))
    assert [m.candidate.entry.id for m in found] == ["returns", "delivery"]


def test_the_hotel_talked_of_is_first(matcher: Matcher, embedder: Embedder) -> None:
    text = "Do they have free wifi?"
    question = Question("t", text, (Utterance("bot", "I recommend the Lovell Lodge."),))
    found = matcher.ranked(question, candidates(embedder, text, ACORN, LOVELL))
    assert found[0].candidate.entry.id == "lovell"
    assert found[0].standing == "same"
    assert found[1].standing == "other"


def test_probabilities_leave_room_for_none_of_these(matcher: Matcher, embedder: Embedder) -> None:
    text = "Do you sell bicycles?"
    found = matcher.ranked(Question("t", text), candidates(embedder, text, DELIVERY, RETURNS))
    assert sum(m.probability for m in found) < matcher.threshold


def test_no_candidates_is_no_match(matcher: Matcher) -> None:
    assert matcher.ranked(Question("t", "Anything?"), []) == []


def test_an_entry_without_question_or_history_can_be_matched(embedder: Embedder) -> None:
    passage = Entry("p", 1, "passage", (), "Delivery takes two to four days.", title="Delivery")
    found = TrainedMatcher(embedder).ranked(Question("t", "How long is delivery?"), [Candidate(passage, 0.5, 0.0)])
    assert 0.0 <= found[0].probability <= 1.0


def test_the_nearest_of_many_phrasings_is_compared(embedder: Embedder) -> None:
    many = Entry("m", 1, "faq", ("Where is the shop?", "How do I get my money back?"), "By the form.")
    found = TrainedMatcher(embedder).ranked(Question("t", "Can I get my money back?"), [Candidate(many, 0.8, 0.0)])
    assert found[0].phrasing == "How do I get my money back?"


@pytest.mark.parametrize(
    ("asked", "phrasing"),
    [
        ("How do I turn on notifications?", "How do I turn off notifications?"),
        ("Can I get the 3 month plan?", "Can I get the 12 month plan?"),
        ("Can I order without an account?", "Can I order with an account?"),
        ("How do I unsubscribe?", "How do I subscribe?"),
    ],
)
def test_opposites_and_other_numbers_contradict(asked: str, phrasing: str) -> None:
    assert has_contradiction(asked, phrasing)


@pytest.mark.parametrize(
    ("asked", "phrasing"),
    [
        ("How do I turn on notifications?", "How to switch on notifications"),
        ("Can I order 2 of them?", "Can I order several?"),
        ("Is it open on Sunday?", "What are the opening hours?"),
    ],
)
def test_the_same_in_other_words_does_not(asked: str, phrasing: str) -> None:
    assert not has_contradiction(asked, phrasing)
