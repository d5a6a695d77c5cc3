"""The word index: stems, boosts, a shared folder, a busy writer."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.entries.editor import Changed
from knowledge.index.lexical_index import LexicalIndex, Reached
from knowledge.types import Entry


def entry(name: str, question: str, answer: str = "Yes.") -> Changed:
    return Changed(name, 1, 1, Entry(name, 1, "faq", (question,), answer))


@pytest.fixture
def index(tmp_path: Path) -> LexicalIndex:
    index = LexicalIndex(tmp_path, pause=lambda _: None)
    changes = [
        entry("a", "Where are your stores?"),
        entry("b", "Do you ship fragile vases?", "Yes, in stores."),
        entry("c", "Café à Paris?"),
    ]
    assert index.write("t", changes, Reached("db", 1))
    return index


def test_finds_stems_and_prefers_the_question_to_the_answer(index: LexicalIndex) -> None:
    assert list(index.search("t", "shipping a vase", 5)) == ["b"]
    assert next(iter(index.search("t", "store", 5))) == "a"
    assert list(index.search("t", "CAFE", 5)) == ["c"]
    assert index.search("t", "elephants", 5) == {}
    assert index.search("t", "?!", 5) == {}


def test_scores_only_the_given_entries(index: LexicalIndex) -> None:
    assert set(index.scores("t", "stores", ["b", "c"])) == {"b"}
    assert index.scores("t", "stores", []) == {}
    assert index.scores("t", "stores", ["b"])["b"] == pytest.approx(index.search("t", "stores", 5)["b"])


def test_another_process_sees_what_was_written(index: LexicalIndex, tmp_path: Path) -> None:
    other = LexicalIndex(tmp_path)
    assert other.count("t") == 3
    index.write("t", [Changed("a", 2, 2, None), entry("d", "Rugs?")], Reached("db", 2))
    assert set(other.search("t", "rugs stores", 5)) == {"b", "d"}
    assert other.reached("t") == Reached("db", 2)


def test_does_not_wait_for_ever_for_another_writer(index: LexicalIndex, tmp_path: Path) -> None:
    other = LexicalIndex(tmp_path, pause=lambda _: None)
    writer = other._open_index("t").index.writer(15_000_000, 1)
    assert not index.write("t", [], Reached("db", 2), tries=3)
    del writer
    assert index.write("t", [], Reached("db", 2))


def test_starts_anew_for_another_database(index: LexicalIndex) -> None:
    index.write("t", [entry("z", "Zebras?")], Reached("other", 1))
    assert index.count("t") == 1


def test_tenants_do_not_see_each_other(index: LexicalIndex) -> None:
    assert index.search("../t", "stores", 5) == {}
    assert index.reached("u") == Reached()


def test_what_is_gone_does_not_change_how_rare_a_word_counts(index: LexicalIndex, tmp_path: Path) -> None:
    other = LexicalIndex(tmp_path)
    before = other.search("t", "vases", 5)
    more = [entry(f"m{n}", "Vases and more vases?") for n in range(30)]
    index.write("t", more, Reached("db", 2))
    index.write("t", [Changed(one.id, 3, 2, None) for one in more], Reached("db", 3))
    assert index.is_worn("t")
    kept = [entry("a", "Where are your stores?"), entry("b", "Do you ship fragile vases?", "Yes, in stores.")]
    index.rewrite("t", [kept, [entry("c", "Café à Paris?"), Changed("m1", 3, 2, None)]], Reached("db", 3))
    assert not index.is_worn("t")
    assert other.search("t", "vases", 5) == pytest.approx(before)
    assert other.reached("t") == Reached("db", 3)
