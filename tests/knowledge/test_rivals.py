"""Statements that differ are found where both would be sent as the answer, and nowhere else."""

from __future__ import annotations

import pytest

from knowledge.answers.decision import Answering
from knowledge.embeddings.embedder import Embedder
from knowledge.entries.rivals import differ_in_figures, find_rivals
from knowledge.types import Entry, Question, Source
from testing.in_memory_answers import make_answering_in_memory


def passage(name: str, title: str, answer: str) -> Entry:
    return Entry(name, 1, "passage", (), answer, title=title, source=Source(name, f"https://x.example/{name}"))


ENTRIES = (
    passage("hours", "Visiting us > Opening hours", "The library is open from Monday to Friday, 9 am to 6 pm."),
    passage("open", "General information > When we are open", "We open on weekdays at 10 am and close at 7 pm."),
    passage("member", "Membership", "A yearly membership costs 25 EUR for adults. It begins on the day you pay."),
    passage("abroad", "Sending books abroad", "Sending a book to France costs 12 EUR, to Japan 30 EUR."),
    passage("home", "Sending books home", "Sending a book to your home in this country costs 4 EUR."),
    Entry("keep", 1, "faq", ("How many books can I borrow?",), "Up to 6 books at once."),
    passage("rules", "House rules > Lending", "You may borrow up to 10 books at once, for four weeks."),
)


@pytest.fixture(scope="module")
def answering(embedder: Embedder) -> Answering:
    return make_answering_in_memory(ENTRIES, embedder)


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("Within 30 days.", "You have 14 days for it.", True),
        ("It takes 3 to 5 days.", "It takes up to 5 days.", False),
        ("We pay within 2-5 business days.", "It takes 2-7 business days to appear.", False),
        ("From 9 am.", "Doors open at 10:00.", True),
        ("Until 6 pm.", "We close at 18:00.", False),
        ("It costs £5.", "It costs €4.", False),
        ("Up to 10 books.", "At most 6 books at once.", True),
        ("Up to 10 books.", "For 6 weeks.", False),
        ("Version 2.10 of the app.", "Version 3.1 of the app.", False),
        ("No figures.", "None here either.", False),
        ("", "3 days", False),
    ],
)
def test_figures_differ_only_where_their_unit_is_the_same(one: str, other: str, *, differ: bool) -> None:
    assert differ_in_figures(one, other) is differ
    assert differ_in_figures(other, one) is differ


def test_what_two_documents_say_differently_is_found_once(answering: Answering) -> None:
    asked = [
        ("Opening hours", frozenset({"hours"})),
        ("When we are open", frozenset({"open"})),
        ("How many books can I borrow?", frozenset({"keep"})),
        ("Sending books abroad", frozenset({"abroad"})),
        ("Sending books home", frozenset({"home"})),
        ("Membership", frozenset({"member"})),
    ]
    found = find_rivals(answering, "t", asked)
    assert [set(rivals.entry_ids) for rivals in found] == [{"hours", "open"}, {"keep", "rules"}]


@pytest.mark.parametrize("text", ["When are you open?", "opening times?"])
def test_neither_of_two_such_sections_is_sent_as_sure_and_the_other_one_is_offered(
    answering: Answering, text: str
) -> None:
    (part,) = answering.answer(Question("t", text)).parts
    assert (part.outcome, part.rivalled) == ("suggested", True)
    assert {part.entries[0].id, part.choices[0].entry_id} == {"hours", "open"}


def test_a_section_that_nothing_else_speaks_of_is_sure(answering: Answering) -> None:
    (part,) = answering.answer(Question("t", "How much is a yearly membership for adults?")).parts
    assert (part.outcome, part.rivalled, part.entries[0].id) == ("answered", False, "member")
