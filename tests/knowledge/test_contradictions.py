"""Entries that answer the same question differently are known as such, for as long as they do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.db import Database
from core.db.models import ReviewItem, get_current_time
from core.errors import Conflict, InvalidInput
from knowledge.curation.review import decisions
from knowledge.curation.review.cleanup import clean_up_queue
from knowledge.curation.review.types import Claim, Wording
from knowledge.entries import contradictions
from knowledge.entries import editor as entries
from knowledge.entries.content import Content
from knowledge.entries.editor import Change, EntryEditor
from knowledge.types import Utterance

T = "shop"
BY_TEST = Change("tester", "test")


def add(database: Database, question: str, answer: str, *, approved: bool = True, **more: Any) -> str:
    with database.session() as session:
        content = Content("faq", answer, (question,), **more)
        return EntryEditor(session, T, BY_TEST).add(content, approved=approved).id


def edit(database: Database, entry_id: str, how: str, *content: Content) -> None:
    with database.session() as session:
        getattr(EntryEditor(session, T, BY_TEST), how)(entries.get_entry(session, T, entry_id), *content)


def disputed(database: Database, *ids: str) -> list[bool]:
    with database.session() as session:
        served, named = entries.load_served_entries(session, T, ids), contradictions.find_disputed_ids(session, T, ids)
    assert named == {entry.id for entry in served.values() if entry.disputed}
    return [served[i].disputed if i in served else False for i in ids]


def queued(database: Database) -> list[ReviewItem]:
    with database.session() as session:
        contradictions.sync_contradiction_items(session, T)
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


def claim(database: Database, item_id: str) -> Claim:
    with database.session() as session:
        return Claim(T, item_id, session.get_one(ReviewItem, item_id).revision, "ana@example.com")


def decide(database: Database, how: str, item_id: str, *more: Any) -> None:
    with database.session() as session:
        getattr(decisions, how)(session, claim(database, item_id), *more)


def test_the_kept_side_stays_and_the_others_are_retired_until_it_is_undone(database: Database) -> None:
    ids = [add(database, "Is it open?", answer) for answer in ("Yes.", "No.", "No!", "Perhaps.")]
    [item] = queued(database)
    decide(database, "keep_entry", item.id, ids[1])
    with database.session() as session:
        assert [entries.get_entry(session, T, i).status for i in ids] == ["retired", "approved", "approved", "retired"]
    assert disputed(database, *ids) == [False] * 4
    assert [i.status for i in queued(database)] == ["approved"]
    decide(database, "undo_decision", item.id)
    assert disputed(database, *ids) == [True] * 4
    assert [i.status for i in queued(database)] == ["open"]


def test_what_may_stay_is_undisputed_until_another_answer_comes(database: Database) -> None:
    a, b = add(database, "Is it open?", "Yes."), add(database, "Is it open?", "No.")
    [item] = queued(database)
    decide(database, "reject_item", item.id, "two shops")
    assert disputed(database, a, b) == [False, False]
    assert [i.status for i in queued(database)] == ["rejected"]
    decide(database, "undo_decision", item.id)
    assert disputed(database, a, b) == [True, True]
    decide(database, "reject_item", item.id, "two shops")
    c = add(database, "Is it open?", "On Sundays.")
    assert disputed(database, a, b, c) == [True] * 3
    assert [i.status for i in queued(database)] == ["rejected", "open"]


@pytest.mark.parametrize("how", ["approve_item", "edit_item", "merge_item", "keep_entry"])
def test_a_side_has_to_be_chosen(sqlite: Database, how: str) -> None:
    a = add(sqlite, "Is it open?", "Yes.")
    add(sqlite, "Is it open?", "No.")
    other = add(sqlite, "Is it shut?", "No.")
    [item] = queued(sqlite)
    more = {"edit_item": (Wording(("Is it?",), "Yes."),), "merge_item": (a,), "keep_entry": (other,)}.get(how, ())
    with pytest.raises((InvalidInput, Conflict)):
        decide(sqlite, how, item.id, *more)
    assert queued(sqlite)[0].status == "open"


def test_it_does_not_expire_while_it_lasts(sqlite: Database) -> None:
    add(sqlite, "Is it open?", "Yes.")
    add(sqlite, "Is it open?", "No.")
    with sqlite.session() as session:
        clean_up_queue(session)
        session.query(ReviewItem).one().created_at = get_current_time() - timedelta(days=1000)
    with sqlite.session() as session:
        assert clean_up_queue(session) == (0, 0)


def section(title: str, answer: str) -> Content:
    return Content("passage", answer, title=title)


def contested(database: Database, *ids: str) -> bool:
    with database.session() as session:
        return EntryEditor(session, T, BY_TEST).contest("Opening hours", ids)


def test_sections_found_to_state_different_things_are_disputed_until_one_changes(database: Database) -> None:
    with database.session() as session:
        editor = EntryEditor(session, T, BY_TEST)
        texts = (("Opening hours", "We open at 9."), ("When we are open", "We open at 10."))
        a, b = (editor.add(section(*text), approved=True).id for text in texts)
    assert contested(database, a, b)
    assert not contested(database, b, a)
    assert disputed(database, a, b) == [True, True]
    [item] = queued(database)
    assert (item.questions, [near["entry_id"] for near in item.near]) == (["Opening hours"], [a, b])
    edit(database, a, "retire")
    assert disputed(database, a, b) == [False, False]
    edit(database, a, "approve")
    assert disputed(database, a, b) == [True, True]
    edit(database, b, "amend", section("When we are open", "We open at 9."))
    assert disputed(database, a, b) == [False, False]
    assert [i.status for i in queued(database)] == ["settled"]


def test_reviewers_decide_about_sections_as_about_questions(database: Database) -> None:
    with database.session() as session:
        editor = EntryEditor(session, T, BY_TEST)
        a, b = (editor.add(section(f"Hours {n}", f"We open at {n}."), approved=True).id for n in (9, 10))
    contested(database, a, b)
    [item] = queued(database)
    decide(database, "reject_item", item.id, "two buildings")
    assert disputed(database, a, b) == [False, False]
    decide(database, "undo_decision", item.id)
    decide(database, "keep_entry", item.id, b)
    assert disputed(database, a, b) == [False, False]
    with database.session() as session:
        assert [entries.get_entry(session, T, i).status for i in (a, b)] == ["retired", "approved"]
