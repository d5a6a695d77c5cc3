"""How sure an answer must be for the share of wrong answers that an operator allows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.db import Database
from core.errors import InvalidInput
from core.feedback import settings
from knowledge.relevance.bars import Bars, TenantBars
from knowledge.relevance.ranker import Ranked, Ranking
from knowledge.types import Candidate, Entry

BARS = Bars(answered=0.6, suggested=0.3, clarified=0.4)


@pytest.mark.parametrize(
    ("first", "known", "outcome"),
    [
        (0.7, 0.9, "answered"),
        (0.5, 0.9, "suggested"),
        (0.2, 0.9, "clarified"),
        (0.2, 0.1, "unknown"),
        (0.5, 0.1, "unknown"),
    ],
)
def test_the_outcome_follows_how_probable_the_first_and_the_offered_ones_are(
    first: float, known: float, outcome: str
) -> None:
    assert BARS.outcome(Ranking((), first, known)) == outcome


def test_fewer_wrong_answers_need_a_higher_bar() -> None:
    assert Bars.shipped(0.01).answered > Bars.shipped(0.08).answered


def test_a_share_between_two_takes_the_stricter_one_and_one_below_all_the_strictest() -> None:
    assert Bars.shipped(0.04) == Bars.shipped(0.03)
    assert Bars.shipped(0.001) == Bars.shipped(0.01)


def test_each_tenant_has_the_bars_of_its_setting(database: Database) -> None:
    with database.session() as session:
        settings.update_learning_settings(session, "strict", {"wrong_answers": 0.01}, "test")
    bars = TenantBars(database)
    assert bars("strict") == Bars.shipped(0.01)
    assert bars("other") == Bars.shipped()


@pytest.mark.parametrize("share", [0, -1, 0.5, "many"])
def test_a_share_that_makes_no_sense_is_refused(database: Database, share: object) -> None:
    with database.session() as session, pytest.raises(InvalidInput):
        settings.update_learning_settings(session, "t", {"wrong_answers": share}, "test")


def test_what_is_not_english_has_a_bar_of_its_own_for_asking_back() -> None:
    bars = replace(BARS, clarified_foreign=0.2)
    for language, outcome in (("en", "unknown"), ("de", "suggested")):
        entry = Entry("1", 1, "faq", ("?",), "!", language=language)
        ranked = Ranked(Candidate(entry, 0.5, 0.0), "!", 0.0, 0.0, 0.5)
        assert bars.outcome(Ranking((ranked,), first=0.35, known=0.35)) == outcome
