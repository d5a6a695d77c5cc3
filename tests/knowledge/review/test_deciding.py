"""What a reviewer decides is lived by, once, and can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from core.db import Database
from core.db.models import ReviewItem, TrainingExample, get_current_time
from core.errors import Conflict, InvalidInput, NotFound, RejoinderError
from knowledge.curation.review import cleanup, decisions, queries
from knowledge.curation.review.queries import ReviewFilter
from knowledge.curation.review.types import Claim, Wording
from knowledge.entries import editor as entries
from tests.knowledge.review.doubles import (
    ANA,
    BEN,
    T,
    add_entry,
    add_item,
    claim,
    events,
    four_eyes,
    item,
    phrasings,
    served,
)


def do(database: Database, decision: Callable[..., Any], claimed: Claim, *values: Any, **named: Any) -> Any:
    with database.session() as session:
        return decision(session, claimed, *values, **named)


def test_approval_publishes_and_undo_takes_it_back(database: Database) -> None:
    id_ = add_item(database, "Do you gift wrap?", "Is there a gift option?")
    approved = do(database, decisions.approve_item, claim(database, id_))
    assert (approved.status, approved.decided_by) == ("approved", ANA)
    assert served(database) == {"Do you gift wrap?": "We wrap it for £4.50."}
    assert phrasings(database, approved.entry_id) == ["Do you gift wrap?", "Is there a gift option?"]
    do(database, decisions.undo_decision, claim(database, id_, BEN))
    assert served(database) == {}
    assert (item(database, id_).status, item(database, id_).entry_id) == ("open", None)
    assert events(database) == [("approved", ANA), ("undone", BEN)]
    do(database, decisions.approve_item, claim(database, id_))
    assert len(served(database)) == 1


@pytest.mark.parametrize(("take", "answer"), [(False, "No, never."), (True, "We wrap it for £4.50.")])
def test_merging_adds_phrasings_and_undo_restores_the_entry(database: Database, take: bool, answer: str) -> None:
    entry, id_ = add_entry(database), add_item(database)
    merged = do(database, decisions.merge_item, claim(database, id_), entry, take_answer=take)
    assert (merged.status, merged.entry_id) == ("merged", entry)
    assert phrasings(database, entry) == ["Is it wrapped?", "Do you gift wrap?"]
    assert served(database) == {"Is it wrapped?": answer}
    do(database, decisions.undo_decision, claim(database, id_))
    assert phrasings(database, entry) == ["Is it wrapped?"]
    assert served(database) == {"Is it wrapped?": "No, never."}


def test_an_approved_phrasing_widens_its_entry(database: Database) -> None:
    entry = add_entry(database)
    id_ = add_item(database, "comes it in paper", kind="phrasing", answer="", entry_id=entry)
    assert do(database, decisions.approve_item, claim(database, id_)).status == "approved"
    assert phrasings(database, entry) == ["Is it wrapped?", "comes it in paper"]


def test_approved_examples_wait_for_the_next_training_once(database: Database) -> None:
    ids = [add_item(database, "where is it", "parcel?", kind="example", answer="", intent="track") for _ in range(2)]
    for id_ in ids:
        do(database, decisions.approve_item, claim(database, id_))
    with database.session() as session:
        rows = session.query(TrainingExample).all()
        assert sorted((row.text, row.intent, row.status) for row in rows) == [
            ("parcel?", "track", "approved"),
            ("where is it", "track", "approved"),
        ]
    do(database, decisions.undo_decision, claim(database, ids[0]))
    with database.session() as session:
        assert {row.status for row in session.query(TrainingExample)} == {"undone"}


def test_the_second_of_two_is_told_who_was_first(database: Database) -> None:
    id_ = add_item(database)
    both = claim(database, id_, ANA), claim(database, id_, BEN)
    do(database, decisions.approve_item, both[0])
    with pytest.raises(Conflict, match=f"approved by {ANA}"):
        do(database, decisions.reject_item, both[1], "not right")
    assert item(database, id_).status == "approved"


def test_of_two_at_the_same_moment_one_succeeds(database: Database) -> None:
    id_ = add_item(database)
    barrier, failures = Barrier(2), []

    def decide(by: str, decision: Callable[..., Any], *values: str) -> None:
        claimed = claim(database, id_, by)
        barrier.wait()
        try:
            do(database, decision, claimed, *values)
        except RejoinderError as error:
            failures.append(type(error))

    threads = [Thread(target=decide, args=(ANA, decisions.approve_item)), Thread(target=decide, args=(BEN, decisions.reject_item, "no"))]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [Conflict]
    assert len(events(database)) == 1
    assert bool(served(database)) == (item(database, id_).status == "approved")


def test_an_edit_tells_who_looked_at_the_old_words(database: Database) -> None:
    id_ = add_item(database)
    old = claim(database, id_, BEN)
    wording = Wording((" How much is wrapping? ", "How much is wrapping?"), "It is £5.", "Wrapping")
    edited = do(database, decisions.edit_item, claim(database, id_), wording)
    assert (edited.questions, edited.answer, edited.subject) == (["How much is wrapping?"], "It is £5.", "Wrapping")
    with pytest.raises(Conflict, match="changed this item"):
        do(database, decisions.approve_item, old)
    do(database, decisions.approve_item, claim(database, id_))
    assert served(database) == {"How much is wrapping?": "It is £5."}


@pytest.mark.parametrize("wording", [Wording((), "x"), Wording((" ",), "x"), Wording(("q",), ""), Wording(("q" * 10_001,), "x")])  # fmt: skip
def test_an_edit_that_says_nothing_changes_nothing(database: Database, wording: Wording) -> None:
    id_ = add_item(database)
    with pytest.raises(InvalidInput):
        do(database, decisions.edit_item, claim(database, id_), wording)
    assert (item(database, id_).revision, item(database, id_).questions) == (1, ["Do you gift wrap?"])


def test_rejecting_needs_a_reason(database: Database) -> None:
    id_ = add_item(database)
    with pytest.raises(InvalidInput, match="why"):
        do(database, decisions.reject_item, claim(database, id_), "  ")
    assert do(database, decisions.reject_item, claim(database, id_), "one customer's case").status == "rejected"
    assert item(database, id_).reason == "one customer's case"


def test_an_item_without_an_answer_cannot_be_published(database: Database) -> None:
    id_ = add_item(database, kind="faq", answer="")
    with pytest.raises(InvalidInput, match="answer is empty"):
        do(database, decisions.approve_item, claim(database, id_))
    assert (item(database, id_).status, served(database)) == ("open", {})


def test_with_four_eyes_two_people_must_want_the_same(database: Database) -> None:
    four_eyes(database)
    entry, id_ = add_entry(database), add_item(database)
    assert do(database, decisions.approve_item, claim(database, id_, ANA)).status == "half_approved"
    with pytest.raises(Conflict, match="second person"):
        do(database, decisions.approve_item, claim(database, id_, ANA))
    assert "Do you gift wrap?" not in served(database)
    assert do(database, decisions.merge_item, claim(database, id_, BEN), entry).first_by == BEN
    assert do(database, decisions.approve_item, claim(database, id_, ANA)).status == "merged"
    assert phrasings(database, entry) == ["Is it wrapped?", "Do you gift wrap?"]
    with database.session() as session:
        last = entries.list_entry_versions(session, entries.get_entry(session, T, entry))[-1]
        assert (last.author, f"first by {BEN}" in last.reason) == (ANA, True)


def test_with_four_eyes_an_edit_needs_another_persons_approval(database: Database) -> None:
    four_eyes(database)
    id_ = add_item(database)
    do(database, decisions.approve_item, claim(database, id_, ANA))
    do(database, decisions.edit_item, claim(database, id_, BEN), Wording(("Gift wrap?",), "Yes, £5."))
    with pytest.raises(Conflict, match="second person"):
        do(database, decisions.approve_item, claim(database, id_, BEN))
    do(database, decisions.approve_item, claim(database, id_, ANA))
    assert served(database) == {"Gift wrap?": "Yes, £5."}


def test_undo_refuses_to_lose_a_later_change(database: Database) -> None:
    id_ = add_item(database)
    entry = do(database, decisions.approve_item, claim(database, id_)).entry_id
    with database.session() as session:
        stored = entries.get_entry(session, T, entry)
        editor = entries.EntryEditor(session, T, entries.Change(BEN, "dearer"))
        editor.amend(stored, replace(entries.content_of(stored), answer="It is £9 now."))
    with pytest.raises(Conflict, match="changed since"):
        do(database, decisions.undo_decision, claim(database, id_))
    assert served(database) == {"Do you gift wrap?": "It is £9 now."}
    assert item(database, id_).status == "approved"


def test_what_sleeps_wakes_up_and_what_is_old_expires(database: Database) -> None:
    asleep, old, fresh = add_item(database), add_item(database), add_item(database)
    do(database, decisions.snooze_item, claim(database, asleep), get_current_time() + timedelta(days=2))
    assert item(database, asleep).status == "snoozed"
    with database.session() as session:
        session.get_one(ReviewItem, asleep).snoozed_until = get_current_time() - timedelta(minutes=1)
        session.get_one(ReviewItem, old).created_at = get_current_time() - timedelta(weeks=9)
    with database.session() as session:
        assert cleanup.clean_up_queue(session) == (1, 1)
        assert cleanup.clean_up_queue(session) == (0, 0)
    assert [item(database, id_).status for id_ in (asleep, old, fresh)] == ["open", "expired", "open"]
    assert do(database, decisions.undo_decision, claim(database, old)).status == "open"


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_nothing_sleeps_for_ever_or_in_the_past(database: Database, days: int) -> None:
    id_ = add_item(database)
    with pytest.raises(InvalidInput, match="coming year"):
        do(database, decisions.snooze_item, claim(database, id_), get_current_time() + timedelta(days=days))


def test_the_queue_is_ranked_filtered_and_paged(database: Database) -> None:
    for n, kind in enumerate(["entry", "faq", "entry"]):
        add_item(database, f"Question {n}", kind=kind, effect=float(n))
    do(database, decisions.reject_item, claim(database, add_item(database, "Gone")), "no")

    def asked(limit: int = 10, offset: int = 0, **wanted: str) -> tuple[int, list[str]]:
        with database.session() as session:
            total, found = queries.list_review_items(session, T, ReviewFilter(**wanted), limit, offset)
            return total, [one.questions[0] for one in found]

    assert asked() == (3, ["Question 2", "Question 1", "Question 0"])
    assert asked(1, 1) == (3, ["Question 1"])
    assert asked(kind="faq") == (1, ["Question 1"])
    assert asked(search="question 0") == (1, ["Question 0"])
    assert asked(search="100%") == (0, [])
    assert asked(status="rejected") == (1, ["Gone"])


def test_an_item_shows_its_evidence_and_what_is_different_nearby(database: Database) -> None:
    entry = add_entry(database)
    said = {"conversation_id": "c1", "message_id": "m1", "question": "wrap?", "answer": "yes"}
    near = [{"entry_id": entry, "similarity": 0.8, "contradicts": True}, {"entry_id": "gone", "similarity": 0.7}]
    id_ = add_item(database, evidence=[said], near=near, answer="Yes, always.")
    with database.session() as session:
        shown = queries.describe_item_details(session, queries.get_review_item(session, T, id_))
    assert [each["question"] for each in shown["evidence"]] == ["wrap?"]
    (only,) = shown["near"]
    assert (only["entry_id"], only["contradicts"], only["questions"]) == (entry, True, ["Is it wrapped?"])
    assert [tuple(piece) for piece in only["diff"]][:2] == [("removed", "No"), ("added", "Yes")]


def test_another_tenants_item_is_not_there(database: Database) -> None:
    id_ = add_item(database)
    with pytest.raises(NotFound):
        do(database, decisions.approve_item, replace(claim(database, id_), tenant_id="other"))
    assert item(database, id_).status == "open"
