"""What must never share an answer, and what may."""

from __future__ import annotations

import json

import pytest

from benchmarks.reuse import PAIRS
from knowledge.answers.reuse.contrast_guards import find_difference

ROWS = [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]


def test_there_are_enough_pairs_of_every_kind() -> None:
    assert len(ROWS) >= 300
    assert {row["kind"] for row in ROWS} == {"opposite", "number", "unit", "date", "entity", "place", "language"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['kind']}: {row['asked']}")
def test_a_near_miss_is_stopped(row: dict[str, str]) -> None:
    assert find_difference(row["asked"], [row["phrasing"]])
    if row["kind"] != "language":
        assert find_difference(row["phrasing"], [row["asked"]])


@pytest.mark.parametrize(
    ("asked", "phrasing"),
    [
        ("What do you charge for shipping?", "How much is delivery?"),
        ("I forgot my password, what now?", "How do I reset my password?"),
        ("Can I get my money back?", "How do I get a refund?"),
        ("Am I able to open an account from abroad?", "Can I open an account if I live in another country?"),
        ("I want to pay", "How can I pay?"),
        ("Can I return it in 14 days?", "Can I return an item within 14 days?"),
        ("when do you open on sunday", "What are your opening hours on Sundays?"),
        ("Could I pay for an account with my payment app?", "Which payment apps do you take?"),
        ("Do I need my passport?", "Is a passport required?"),
    ],
)
def test_other_words_for_the_same_pass(asked: str, phrasing: str) -> None:
    assert find_difference(asked, [phrasing]) is None


def test_an_entry_that_is_asked_both_ways_answers_both() -> None:
    on, off = "How do I turn on order e-mails?", "How do I turn off order e-mails?"
    assert find_difference("How can I switch off e-mails about my order?", [on, off]) is None


def test_its_other_phrasings_count_too() -> None:
    assert find_difference("Turn off order e-mails", ["Order e-mails", "How do I turn on order e-mails?"]) == "opposite"


def test_the_subject_is_no_other_name() -> None:
    asked, own = "Does the Acorn Guest House have parking?", "Does the guest house have parking?"
    assert find_difference(asked, [own], subject="Acorn Guest House") is None


@pytest.mark.parametrize("asked", ["", "?", "🙂", "5", "not", "a" * 5000, "turn turn turn on on"])
def test_odd_input_does_no_harm(asked: str) -> None:
    find_difference(asked, ["How do I turn on order e-mails?", ""])
    find_difference("How do I turn on order e-mails?", [asked])
