"""Entries that answer the same question differently are known as such, for as long as they do."""

from __future__ import annotations

from typing import Any

import pytest

from core.db import Database
from core.db.models import ReviewItem
from knowledge import contradictions, entries
from knowledge.content import Content
from knowledge.entries import Change, EntryEditor
from knowledge.types import Utterance

T = "shop"
BY_TEST = Change("tester", "test")


def add(database: Database, question: str, answer: str, *, approved: bool = True, **more: Any) -> str:
    with database.session() as session:
        content = Content("faq", answer, (question,), **more)
        return EntryEditor(session, T, BY_TEST).add(content, approved=approved).id


def edit(database: Database, entry_id: str, how: str, *content: Content) -> None:
    with database.session() as session:
        getattr(EntryEditor(session, T, BY_TEST), how)(entries.found(session, T, entry_id), *content)


def disputed(database: Database, *ids: str) -> list[bool]:
    with database.session() as session:
        served, named = entries.served(session, T, ids), contradictions.contradicting(session, T, ids)
    assert named == {entry.id for entry in served.values() if entry.disputed}
    return [served[i].disputed if i in served else False for i in ids]


def queued(database: Database) -> list[ReviewItem]:
    with database.session() as session:
        contradictions.queue(session, T)
    with database.session() as session:
        return list(session.query(ReviewItem).order_by(ReviewItem.id))


def test_both_sides_are_disputed_until_one_is_retired(database: Database) -> None:
    a = add(database, "What does a day ticket cost?", "8 euros.")
    b = add(database, " what does a day ticket cost", "11 euros.")
    assert disputed(database, a, b) == [True, True]
    edit(database, a, "retire")
    assert disputed(database, a, b) == [False, False]
    edit(database, a, "approve")
    assert disputed(database, a, b) == [True, True]


def test_an_amended_side_ends_it_and_another_process_is_told(database: Database) -> None:
    a, b = add(database, "Is it open?", "Yes."), add(database, "Is it open?", "No.")
    with database.session() as session:
        before = entries.revision_of(session, T)
    edit(database, b, "amend", Content("faq", "**yes**", ("Is it open?",)))
    assert disputed(database, a, b) == [False, False]
    with database.session() as session:
        assert before is not None
        assert sorted(entries.changed_ids(session, T, before.number)) == sorted([a, b])


def test_an_amended_question_ends_it(database: Database) -> None:
    a, b = add(database, "Is it open?", "Yes."), add(database, "Is it open?", "No.")
    edit(database, b, "amend", Content("faq", "No.", ("Is it closed?",)))
    assert disputed(database, a, b) == [False, False]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"subject": "Archway House"}, {"subject": "Mill Lodge"}),
        ({"language": "en"}, {"language": "de"}),
        ({"context": (Utterance("customer", "The Archway, please."),)}, {}),
        ({}, {"approved": False}),
    ],
)
def test_another_subject_language_history_or_a_draft_contradicts_nothing(
    sqlite: Database, one: dict[str, Any], other: dict[str, Any]
) -> None:
    a, b = add(sqlite, "Is there parking?", "Yes.", **one), add(sqlite, "Is there parking?", "No.", **other)
    assert disputed(sqlite, a, b) == [False, False]


@pytest.mark.parametrize(
    ("one", "other"),
    [("What is C++?", "What is C#?"), ("What does E-17/B mean?", "What does E-71/B mean?"), ("Turn on?", "Turn off?")],
)
def test_questions_that_differ_in_a_sign_are_different(sqlite: Database, one: str, other: str) -> None:
    assert disputed(sqlite, add(sqlite, one, "A."), add(sqlite, other, "B.")) == [False, False]


def test_answers_that_differ_in_a_currency_contradict(sqlite: Database) -> None:
    assert disputed(sqlite, add(sqlite, "How much?", "£5"), add(sqlite, "How much?", "€5")) == [True, True]


def test_the_queue_has_one_item_a_question_and_settles_it_by_itself(database: Database) -> None:
    ids = [add(database, "Is it open?", f"At {hour}.") for hour in range(8, 12)]
    [item] = queued(database)
    assert (item.kind, item.status, item.questions, len(item.near)) == ("contradiction", "open", ["Is it open?"], 4)
    assert len(queued(database)) == 1
    edit(database, ids[0], "retire")
    assert len(queued(database)[0].near) == 3
    for entry_id in ids[1:3]:
        edit(database, entry_id, "retire")
    assert [(i.status, i.decided_by) for i in queued(database)] == [("settled", "knowledge")]
    edit(database, ids[0], "approve")
    assert [i.status for i in queued(database)] == ["settled", "open"]


def test_another_tenant_is_not_concerned(sqlite: Database) -> None:
    a = add(sqlite, "Is it open?", "Yes.")
    with sqlite.session() as session:
        EntryEditor(session, "other", BY_TEST).add(Content("faq", "No.", ("Is it open?",)), approved=True)
    assert disputed(sqlite, a) == [False]


def test_five_hundred_answers_to_one_question_are_one_item(sqlite: Database) -> None:
    with sqlite.session() as session:
        editor = EntryEditor(session, T, BY_TEST)
        ids = [editor.add(Content("faq", f"Part {n}.", ("Help",)), approved=True).id for n in range(500)]
    assert all(disputed(sqlite, *ids))
    [item] = queued(sqlite)
    assert len(item.near) == contradictions.MOST_SIDES
