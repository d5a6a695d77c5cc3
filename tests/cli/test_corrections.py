"""`rejoinder corrections` and `rejoinder feedback` as they are typed."""

from __future__ import annotations

from pathlib import Path

from tests.cli.test_knowledge import CommandLine, rejoinder

__all__ = ["rejoinder"]

QUESTION, WRONG, RIGHT = "Can I pay with cash?", "Yes, of course.", "No, cards only."


def test_a_correction_from_proposal_to_undo(rejoinder: CommandLine, tmp_path: Path) -> None:
    faq = tmp_path / "faq.csv"
    faq.write_text(f'question,answer\n{QUESTION},"{WRONG}"\n')
    assert rejoinder("knowledge", "import", str(faq)).code == 0
    (entry,) = rejoinder("knowledge", "list", "--json").json
    words = ("--question", QUESTION, "--bot-answer", WRONG, "--entry", entry["id"], "--action", "amend")
    proposed = rejoinder("corrections", "add", RIGHT, "--category", "wrong_fact", *words, "--json").json
    approved = rejoinder("corrections", "approve", proposed["id"], "--by", "bob")
    assert (approved.code, approved.err) == (0, "")
    assert "is approved by bob" in approved.out and RIGHT in approved.out
    again = rejoinder("corrections", "approve", proposed["id"])
    assert (again.code, again.out) == (1, "")
    assert again.err.startswith("rejoinder: This correction is approved by bob")
    assert RIGHT in rejoinder("knowledge", "show", entry["id"]).out
    undone = rejoinder("corrections", "undo", proposed["id"], "--json").json
    assert (undone["status"], undone["effects"]["served"]) == ("undone", {"old": 1})
    assert rejoinder("corrections", "list", "--status", "undone", "--json").json["total"] == 1
    assert "is undone" in rejoinder("corrections", "show", proposed["id"]).out


def test_a_correction_is_rejected_or_refused(rejoinder: CommandLine) -> None:
    words = ("--question", QUESTION, "--category", "tone", "--json")
    proposed = rejoinder("corrections", "add", RIGHT, *words).json
    assert "is rejected by ann" in rejoinder("corrections", "reject", proposed["id"], "--by", "ann").out
    wrong = rejoinder("corrections", "add", RIGHT, "--question", QUESTION, "--category", "colour")
    assert (wrong.code, wrong.err.count("\n")) == (1, 1)
    assert "wrong_fact" in wrong.err


def test_feedback_of_an_empty_instance(rejoinder: CommandLine) -> None:
    assert rejoinder("feedback", "list", "--json").json == {"total": 0, "items": []}
    assert "CSAT - from 0 of 0" in rejoinder("feedback", "analytics").out
    assert rejoinder("feedback", "analytics", "--by", "intent", "--json").json["groups"] == []
    assert rejoinder("feedback", "settle").out == "0 answers settled.\n"
    assert rejoinder("feedback", "analytics", "--by", "colour").err.startswith("rejoinder: --by is one of")
    assert rejoinder("feedback", "link", "none").code == 1
