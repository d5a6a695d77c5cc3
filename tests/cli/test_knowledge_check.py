"""`rejoinder knowledge check`, and its short form after an import. What is tested holds for any weights of the reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_knowledge import CommandLine, faq, rejoinder  # noqa: F401 - fixtures

GUARANTEE = "question,answer\nHow long is the guarantee?,{}\n"


@pytest.fixture
def contradicting(tmp_path: Path) -> list[str]:
    """Two sources that share a question, and one of which has two of its own."""
    (tmp_path / "a.csv").write_text(GUARANTEE.format("Two years.") + "Do you repair chairs?,Yes.\nDo you rent?,No.\n")
    (tmp_path / "b.csv").write_text(GUARANTEE.format("Five years."))
    return [str(tmp_path / name) for name in ("a.csv", "b.csv")]


def test_after_an_import_it_says_how_many_are_answered(rejoinder: CommandLine, faq: str) -> None:  # noqa: F811
    ran = rejoinder("knowledge", "import", faq)
    assert "2 of 2 of your own questions and headings are answered." in ran.out
    assert "own questions" not in rejoinder("knowledge", "import", faq).out  # nothing new


def test_after_an_import_it_names_how_to_see_the_others(rejoinder: CommandLine, contradicting: list[str]) -> None:  # noqa: F811
    rejoinder("knowledge", "import", contradicting[0], "--as", "old help")
    ran = rejoinder("knowledge", "import", contradicting[1], "--as", "new")
    assert (
        "0 of 1 of your own questions and headings are answered; `rejoinder knowledge check new` lists the others."
        in ran.out
    )
    check = rejoinder("knowledge", "import", contradicting[0], "--as", "third", "--json").json["check"]
    assert check is None or check["asked"] == 3


@pytest.mark.parametrize("option", ["--no-check", "--draft"])
def test_nothing_is_asked_where_that_is_not_wanted(rejoinder: CommandLine, faq: str, option: str) -> None:  # noqa: F811
    assert rejoinder("knowledge", "import", faq, option, "--json").json["check"] is None


def test_what_is_not_answered_is_listed_with_the_reason(rejoinder: CommandLine, contradicting: list[str]) -> None:  # noqa: F811
    rejoinder("knowledge", "import", *contradicting, "--no-check")
    ran = rejoinder("knowledge", "check", "a")
    assert ran.code == 1
    assert "2 of 3 of your own questions and headings are answered (66.7%)." in ran.out
    assert "How long is the guarantee? (a.csv in 'a')" in ran.out
    assert "2 entries with different answers" in ran.out
    found = rejoinder("knowledge", "check", "--at-least", "0.5", "--json")
    assert found.code == 0
    assert {name: found.json[name] for name in ("asked", "answered", "share")} == {
        "asked": 3,
        "answered": 2,
        "share": 0.6667,
    }
    assert found.json["misses"][0]["text"] == "How long is the guarantee?"


def test_headings_are_asked_as_well(rejoinder: CommandLine, tmp_path: Path) -> None:  # noqa: F811
    text = "# Returns\n\nSend it back within 30 days.\n\n## Returns from abroad\n\nYou pay the postage yourself.\n"
    (tmp_path / "returns.md").write_text(text)
    rejoinder("knowledge", "import", str(tmp_path), "--as", "help", "--no-check")
    found = rejoinder("knowledge", "check", "help", "--json")
    assert (found.code, found.json["asked"], found.json["answered"]) == (0, 2, 2)


def test_without_entries_there_is_nothing_to_ask(rejoinder: CommandLine) -> None:  # noqa: F811
    ran = rejoinder("knowledge", "check")
    assert (ran.code, ran.out) == (0, "There are no questions to ask.\n")
    assert "There is no source 'help'" in rejoinder("knowledge", "check", "help").err


def test_search_shows_every_score(rejoinder: CommandLine, faq: str) -> None:  # noqa: F811
    rejoinder("knowledge", "import", faq, "--no-check")
    best = rejoinder("knowledge", "search", "Irish delivery", "--json").json[0]
    assert all(isinstance(best[name], float) for name in ("dense", "lexical", "reader"))
    assert all(name in rejoinder("knowledge", "search", "Irish delivery").out for name in ("cosine", "words", "reader"))


def test_documents_that_state_different_things_are_listed_and_wait_for_review(
    rejoinder: CommandLine,  # noqa: F811
    tmp_path: Path,
) -> None:
    for name, text in (
        ("a", "# Visiting us\n\n## Opening hours\n\nThe library is open from Monday to Friday, 9 am to 6 pm.\n"),
        ("b", "# General\n\n## When we are open\n\nWe open on weekdays at 10 am and close at 7 pm.\n"),
    ):
        (tmp_path / f"{name}.md").write_text(text)
    rejoinder("knowledge", "import", str(tmp_path / "a.md"), "--as", "a")
    ran = rejoinder("knowledge", "import", str(tmp_path / "b.md"), "--as", "b")
    assert "1 question has different answers." in ran.out
    assert "b.md in 'b': We open on weekdays at 10 am" in ran.out
    why = rejoinder("knowledge", "why", "When we are open", "--json").json
    assert why["outcome"] == "suggested"
    check = rejoinder("knowledge", "check", "--json").json["contradictions"]
    assert [len(one["sides"]) for one in check] == [2]
    (tmp_path / "b.md").write_text("# General\n\n## When we are open\n\nWe open on weekdays at 9 am, close at 6 pm.\n")
    assert "different answers" not in rejoinder("knowledge", "import", str(tmp_path / "b.md"), "--as", "b").out
    assert rejoinder("knowledge", "why", "When we are open", "--json").json["outcome"] == "answered"
