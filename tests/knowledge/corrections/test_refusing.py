"""What cannot be corrected is refused with a sentence, and nothing is half done."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select

from core.db.models import HumanCorrection, RegressionCase
from core.errors import Conflict, InvalidInput, NotFound
from knowledge.curation.corrections import decisions
from knowledge.entries.content import Content
from tests.knowledge.corrections.conftest import Desk

QUESTION, WRONG, RIGHT = "How much is delivery?", "Delivery costs 9 euros.", "Delivery costs 5 euros."


@pytest.fixture
def entry(desk: Desk) -> str:
    return desk.shop.add(QUESTION, WRONG)


@pytest.fixture
def proposed(desk: Desk, entry: str) -> str:
    return desk.propose(turn_id=desk.turn(QUESTION, WRONG, entry), answer=RIGHT)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"turn_id": "none"}, "no such answer"),
        ({"message_id": "none"}, "no such answer"),
        ({}, "Say which answer"),
        ({"question": "  "}, "Say which answer"),
        ({"question": "Why?", "category": "colour"}, "category is one of"),
        ({"question": "Why?", "quality": 6}, "0 to 5"),
        ({"question": "Why?", "entry_id": "none"}, "no entry"),
        ({"question": "Why?", "entry_action": "retire"}, "none to amend or retire"),
        ({"question": "Why?", "category": "wrong_intent"}, "intent that would have been right"),
        ({"question": "Why?", "answer": " "}, "answer is empty"),
        ({"question": "Why?", "bot_answer": "Because."}, "what the bot has said"),
        ({"question": "Why?" * 3000}, "longer than"),
    ],
)
def test_a_proposal_that_makes_no_sense(desk: Desk, fields: dict[str, Any], said: str) -> None:
    with pytest.raises((InvalidInput, NotFound), match=said):
        desk.propose(**{"answer": "Because.", **fields})
    with desk.database.session() as session:
        assert session.scalars(select(HumanCorrection)).all() == []


def test_an_entry_that_is_not_served_cannot_mislead(desk: Desk, entry: str) -> None:
    turn = desk.turn(QUESTION, WRONG, entry)
    desk.shop.edit(entry, "retire")
    with pytest.raises(InvalidInput, match="say keep"):
        desk.propose(turn_id=turn, answer=RIGHT)
    assert desk.propose(turn_id=turn, answer=RIGHT, entry_action="keep")


def test_another_tenants_correction_is_not_there(desk: Desk, proposed: str) -> None:
    for decide in (desk.corrections.approve, desk.corrections.undo):
        with pytest.raises(NotFound):
            decide("another", proposed, "eve")
    assert desk.correction(proposed).status == "proposed"


def test_an_entry_that_went_meanwhile_is_a_conflict_and_nothing_is_done(desk: Desk, entry: str, proposed: str) -> None:
    desk.shop.edit(entry, "retire")
    with pytest.raises(Conflict, match="not served any more"):
        desk.approve(proposed)
    assert (desk.correction(proposed).status, desk.correction(proposed).decided_by) == ("proposed", None)
    assert [(e.status, e.answer) for e in desk.shop.stored()] == [("retired", WRONG)]


def test_an_entry_that_says_something_else_meanwhile_is_a_conflict(desk: Desk, entry: str, proposed: str) -> None:
    desk.shop.edit(entry, "amend", Content("faq", "Delivery is free.", (QUESTION,)))
    with pytest.raises(Conflict, match="says something else"):
        desk.approve(proposed)
    assert [e.answer for e in desk.shop.stored()] == ["Delivery is free."]


def test_a_phrasing_more_is_no_conflict(desk: Desk, entry: str, proposed: str) -> None:
    desk.shop.edit(entry, "amend", Content("faq", WRONG, (QUESTION, "What does shipping cost?")))
    desk.approve(proposed)
    assert desk.asked("What does shipping cost?") == RIGHT


def test_each_decision_is_made_once(desk: Desk, proposed: str) -> None:
    with pytest.raises(Conflict, match="is proposed"):
        desk.undo(proposed)
    desk.approve(proposed)
    with pytest.raises(Conflict, match="is approved by bob"):
        desk.approve(proposed, "cleo")
    with desk.database.session() as session, pytest.raises(Conflict):
        decisions.reject_correction(session, desk.shop.tenant, proposed, "cleo")
    desk.undo(proposed)
    with pytest.raises(Conflict, match="is undone"):
        desk.approve(proposed)


def test_what_was_rejected_stays_so(desk: Desk, entry: str, proposed: str) -> None:
    with desk.database.session() as session:
        decisions.reject_correction(session, desk.shop.tenant, proposed, "cleo", "It is 9.")
    assert desk.correction(proposed).effects["rejected_because"] == "It is 9."
    with pytest.raises(Conflict, match="is rejected by cleo"):
        desk.approve(proposed)
    assert [e.answer for e in desk.shop.stored()] == [WRONG]


def test_undo_does_not_lose_what_came_later(desk: Desk, entry: str, proposed: str) -> None:
    desk.approve(proposed)
    desk.shop.edit(entry, "amend", Content("faq", "Delivery costs 4 euros.", (QUESTION,)))
    with pytest.raises(Conflict, match="was changed since"):
        desk.undo(proposed)
    assert desk.correction(proposed).status == "approved"
    assert [e.answer for e in desk.shop.stored()] == ["Delivery costs 4 euros."]
    with desk.database.session() as session:
        assert session.scalars(select(RegressionCase.active)).all() == [True]


def test_of_two_who_decide_at_once_one_is_told(each_desk: Desk) -> None:
    desk = each_desk
    entry = desk.shop.add(QUESTION, WRONG)
    correction = desk.propose(turn_id=desk.turn(QUESTION, WRONG, entry), answer=RIGHT)
    started, results = threading.Barrier(4), []

    def decide(number: int) -> None:
        started.wait()
        try:
            with desk.database.session() as session:
                decision = decisions.reject_correction if number % 2 else decisions.approve_correction
                results.append(decision(session, desk.shop.tenant, correction, f"staff {number}").status)
        except Conflict as error:
            results.append(str(error))

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [result for result in results if result in ("approved", "rejected")]
    assert len(results) == 4 and len(done) == 1
    (stored,) = desk.shop.stored()
    assert stored.answer == (RIGHT if done == ["approved"] else WRONG)
