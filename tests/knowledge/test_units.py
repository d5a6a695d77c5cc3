"""What is sent of a text: all of a short one, whole blocks of a longer one."""

from __future__ import annotations

from knowledge.relevance.units import LONGEST_UNIT, blocks_of, count_words, spoken_parts, units_of
from knowledge.types import Entry, Utterance

COUNTRIES = "We do not deliver to:\n\n- Ostania\n- Norvia\n\nEverywhere else takes 5 days."
PARAGRAPH = "word " * 60


def test_a_short_text_is_sent_whole() -> None:
    assert units_of(COUNTRIES) == [COUNTRIES]


def test_a_list_stays_with_the_line_that_introduces_it() -> None:
    assert blocks_of(COUNTRIES) == ["We do not deliver to:\n- Ostania\n- Norvia", "Everywhere else takes 5 days."]


def test_a_list_that_goes_on_after_a_blank_line_is_one() -> None:
    assert blocks_of("1. Open the page\n\n2. Press Send\n\nDone.") == ["1. Open the page\n2. Press Send", "Done."]


def test_a_long_text_is_cut_between_blocks_only() -> None:
    blocks = [f"Number {n}: {PARAGRAPH.strip()}" for n in range(5)]
    units = units_of("\n\n".join(blocks))
    assert "\n\n".join(units).split("\n\n") == blocks
    assert [count_words(unit) <= LONGEST_UNIT for unit in units] == [True] * 3


def test_a_block_that_is_longer_than_a_unit_stays_whole() -> None:
    steps = "\n".join(f"{n}. {PARAGRAPH.strip()}" for n in range(1, 5))
    assert units_of(f"{PARAGRAPH}\n\n{steps}") == [PARAGRAPH.strip(), steps]


def test_rows_that_each_say_something_are_cut_between_lines() -> None:
    rows = "\n".join(f"Room {n}: Tower Suite; Winter: {n} EUR" for n in range(60))
    units = units_of(rows)
    assert "\n".join(units) == rows
    assert all(LONGEST_UNIT / 2 < count_words(unit) <= LONGEST_UNIT for unit in units[:-1])


def test_an_entry_is_found_by_what_it_is_asked_and_by_what_it_says() -> None:
    entry = Entry("e", 1, "faq", ("How long?", "When?"), "Two days.", title="Delivery")
    assert spoken_parts(entry) == ["How long?", "Delivery\nHow long?\nTwo days.", "When?"]


def test_what_was_learnt_from_talk_about_one_thing_is_found_by_its_question_and_that_thing() -> None:
    entry = Entry("e", 1, "faq", ("Is there wifi?",), "Yes.", subject="Acorn House", context=(Utterance("bot", "Hi"),))
    assert spoken_parts(entry) == ["Is there wifi? Acorn House", "Is there wifi?"]


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    told = [f"Canoe {n} is kept in shed {n}, costs 4.50 EUR an hour and has two seats." for n in range(60)]
    units = units_of(" ".join(told))
    assert " ".join(units) == " ".join(told)
    assert max(map(count_words, units)) <= LONGEST_UNIT
    assert all(unit.startswith("Canoe") and unit.endswith("seats.") for unit in units)
