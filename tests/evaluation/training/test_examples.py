"""Approved examples reach the training data by an export that was looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

from core.bot.parts import BotParts
from core.db import Database
from core.db.models import AuditEvent, TrainingExample
from core.errors import Conflict, InvalidInput, NotFound
from core.llm.masking import make_masker
from evaluation.training.data import Example, read_folder
from evaluation.training.examples import decide_example, export_examples, list_examples, preview_export, propose_example

MASKER = make_masker()
T = "shop"


def approved(database: Database, text: str, intent: str = "refund") -> str:
    with database.session() as session:
        row = propose_example(session, T, Example(text, intent), "ana")
        if row.status == "proposed":
            decide_example(session, T, row.id, "approved", "bob")
        return row.id


def learnt(data: Path) -> list[tuple[str, str]]:
    return [(e.text, e.intent) for e in read_folder(data) if e.file == "nlu/learnt.yml"]


def test_what_is_shown_is_what_is_written_and_marked(database: Database, parts: BotParts, data: Path) -> None:
    example = approved(database, "gimme the cash back")
    topic = (data / "nlu/topic.yml").read_text()
    with database.session() as session:
        shown = preview_export(session, T, parts, MASKER)
    assert "+      - gimme the cash back\n" in shown.diff
    assert not (data / "nlu/learnt.yml").exists()
    with database.session() as session:
        export_examples(session, T, parts, MASKER, "bob", shown.digest)
    assert learnt(data) == [("gimme the cash back", "refund")]
    assert (data / "nlu/topic.yml").read_text() == topic
    with database.session() as session:
        assert session.get_one(TrainingExample, example).status == "exported"
        assert preview_export(session, T, parts, MASKER).diff == ""
        event = session.scalars(select(AuditEvent).filter_by(action="exported")).one()
        assert (event.by, event.details["added"]) == ("bob", [example])


def test_what_changed_since_it_was_looked_at_is_not_written(sqlite: Database, parts: BotParts, data: Path) -> None:
    approved(sqlite, "gimme the cash back")
    with sqlite.session() as session:
        shown = preview_export(session, T, parts, MASKER)
    approved(sqlite, "cash back now")
    with pytest.raises(Conflict), sqlite.session() as session:
        export_examples(session, T, parts, MASKER, "bob", shown.digest)
    assert learnt(data) == []


def test_a_problem_stops_all_of_it(sqlite: Database, parts: BotParts, data: Path) -> None:
    approved(sqlite, "gimme the cash back")
    approved(sqlite, "good morning", "refund")
    with pytest.raises(InvalidInput, match="several intents"), sqlite.session() as session:
        export_examples(session, T, parts, MASKER, "bob")
    assert learnt(data) == []
    with sqlite.session() as session:
        assert {row.status for row in list_examples(session, T)} == {"approved"}


def test_what_was_undone_leaves_the_file_and_what_others_exported_stays(
    sqlite: Database, parts: BotParts, data: Path
) -> None:
    example = approved(sqlite, "gimme the cash back")
    with sqlite.session() as session:
        export_examples(session, T, parts, MASKER, "bob")
        session.get_one(TrainingExample, example).status = "undone"
    with (data / "nlu/learnt.yml").open("a") as file:
        file.write("      - from another instance\n")
    with sqlite.session() as session:
        found = export_examples(session, T, parts, MASKER, "bob")
    assert "-      - gimme the cash back\n" in found.diff
    assert learnt(data) == [("from another instance", "refund")]


def test_no_personal_data_and_no_marks_of_entities_get_into_the_file(
    sqlite: Database, parts: BotParts, data: Path
) -> None:
    approved(sqlite, "My name is Jane Miller, jane@x.org, order R104233:\n[refund](intent) it - 'now' # \u200b please")
    with sqlite.session() as session:
        export_examples(session, T, parts, MASKER, "bob")
    ((text, _),) = learnt(data)
    assert not {"Jane", "jane@x.org", "104233", "["} & {text, *text.replace(",", " ").split()}
    assert "Jane" not in text and "jane@x.org" not in text and "104233" not in text
    assert "(refund)(intent) it - 'now' #" in text
    yaml.safe_load((data / "nlu/learnt.yml").read_text())


@pytest.mark.parametrize(("text", "intent"), [("  ", "refund"), ("/restart", "refund"), ("hi", "Gift wrap!")])
def test_what_can_never_be_an_example_is_refused_at_once(sqlite: Database, text: str, intent: str) -> None:
    with pytest.raises(InvalidInput), sqlite.session() as session:
        propose_example(session, T, Example(text, intent), "ana")


def test_a_decision_is_made_once(sqlite: Database) -> None:
    example = approved(sqlite, "gimme the cash back")
    for status in ("approved", "rejected"):
        with sqlite.session() as session:
            if status == "approved":
                with pytest.raises(Conflict):
                    decide_example(session, T, example, status, "eve")
            else:
                decide_example(session, T, example, status, "eve")
    with pytest.raises(NotFound), sqlite.session() as session:
        decide_example(session, "other", example, "rejected", "eve")
    assert approved(sqlite, "gimme the cash back") != example
