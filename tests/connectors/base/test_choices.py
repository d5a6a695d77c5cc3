"""Numbered choices are answered with the number, the words, or close to them; never a guess between two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base.choices import choice_of

OFFERED = ("Track my order", "Change the delivery address", "Cancel my order", "Talk to a person")


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("1", 0),
        (" 2. ", 1),
        ("#3", 2),
        ("option 4", 3),
        ("number 2", 1),
        ("٢", 1),
        ("۳", 2),
        ("Track my order", 0),
        ("track my order!", 0),
        ("TRACK MY ORDR", 0),
        ("chnage the delivery adress", 1),
        ("delivery address", 1),
        ("the delivery address", 1),
        ("cancel", 2),
        ("a person", 3),
        ("talk to a person please", 3),
    ],
)
def test_what_is_meant_is_found(text: str, index: int) -> None:
    assert choice_of(text, OFFERED) == index


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "5",
        "12",
        "my order",
        "order",
        "no",
        "what is your returns policy for shoes that I bought last week?",
        "R104233",
        "I would like to know how long it takes to change my order and the address it goes to",
    ],
)
def test_what_is_not_clear_is_left_alone(text: str) -> None:
    assert choice_of(text, OFFERED) is None


QUESTIONS = (
    "How long does delivery to Spain take?",
    "How do I turn on e-mails?",
    "Can I change an order of 12 chairs?",
    "Talk to a person",
)


@pytest.mark.parametrize(
    "text",
    [
        "How long does delivery to France take?",
        "how long does delivery to Spain take at Christmas",
        "how do i turn off emails",
        "Can I change an order of 13 chairs?",
        "can I cancel an order of 12 chairs",
        "what about delivery to Spain without a person",
    ],
)
def test_a_new_question_like_a_choice_is_a_question(text: str) -> None:
    assert choice_of(text, QUESTIONS) is None


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("how long does delivery to spain take", 0),
        ("how long does delivry to spain take, please", 0),
        ("delivery to Spain", 0),
        ("I mean change an order of 12 chairs", 2),
        ("person", 3),
    ],
)
def test_a_question_on_offer_is_chosen_in_its_own_words(text: str, index: int) -> None:
    assert choice_of(text, QUESTIONS) == index


def test_two_choices_with_the_same_words_are_told_apart_by_number_only() -> None:
    assert choice_of("red shoe", ("Red shoe", "Red shoe")) is None
    assert choice_of("2", ("Red shoe", "Red shoe")) == 1
    assert choice_of("red shoe in", ("Red shoe in 41", "Red shoe in 42")) is None
    assert choice_of("red shoe 42", ("Red shoe in 41", "Red shoe in 42")) == 1


def test_yes_and_no_in_other_scripts() -> None:
    assert choice_of("ہاں", ("ہاں", "نہیں")) == 0
    assert choice_of("haan", ("Haan", "Nahi")) == 0


TITLES = st.lists(st.text(st.characters(categories=["L", "Nd"]), min_size=3, max_size=20), min_size=1, max_size=9)


@given(TITLES, st.data())
def test_the_number_and_the_very_words_always_work(titles: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(titles) - 1))
    assert choice_of(str(place + 1), titles) == place
    found = choice_of(titles[place], titles)
    assert found is None or found == place or titles[place].isdecimal()


@given(st.text(max_size=60), TITLES)
def test_nothing_that_is_written_breaks_it(text: str, titles: list[str]) -> None:
    assert choice_of(text, titles) in (None, *range(len(titles)))
