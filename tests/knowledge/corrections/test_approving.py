"""One approval: the right answer is given for every phrasing, the wrong one never again, and undo takes it all back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from core.db.models import AuditEvent, EntryVersion, RegressionCase, TrainingExample
from core.errors import KnowledgeUnavailable
from knowledge.entries.content import Content
from knowledge.entries.editor import EntryEditor
from knowledge.types import Utterance
from tests.knowledge.conftest import BY_TEST
from tests.knowledge.corrections.conftest import Desk

WRONG, RIGHT = "Returns are free for 14 days.", "Returns are free for 30 days."
ASKED = "Do I pay to send something back?"
PHRASINGS = ("How long can I return things for free?", "What is your return policy?")


@pytest.fixture
def returns(desk: Desk) -> str:
    """The id of an entry that is wrong, beside others."""
    for question, answer in [("Where are your shops?", "In Oslo."), ("Do you sell lamps?", "Yes, many.")]:
        desk.shop.add(question, answer)
    wrong = desk.shop.add(PHRASINGS[0], WRONG)
    desk.shop.edit(wrong, "amend", Content("faq", WRONG, PHRASINGS))
    desk.shop.sync()
    assert desk.asked(PHRASINGS[1]) == WRONG
    return wrong


def rows(desk: Desk, model: Any) -> list[Any]:
    with desk.database.session() as session:
        return list(session.scalars(select(model).filter_by(tenant_id=desk.shop.tenant)))


def test_every_phrasing_and_past_question_gets_the_right_answer(desk: Desk, returns: str) -> None:
    turn = desk.turn(ASKED, WRONG, returns)
    desk.turn("how about returning stuff?", WRONG, returns)
    approved = desk.approve(desk.propose(turn_id=turn, answer=RIGHT, reason="New policy since May."))
    assert (approved["status"], approved["decided_by"], approved["live"]) == ("approved", "bob", True)
    for question in (ASKED, *PHRASINGS):
        assert desk.asked(question) == RIGHT
    asked = {row["question"]: row for row in approved["effects"]["asked"]}
    assert {asked[q]["served"] for q in (ASKED, *PHRASINGS)} == {"new"}
    assert asked["how about returning stuff?"]["kind"] == "past"
    assert "old" not in approved["effects"]["served"]
    (case,) = rows(desk, RegressionCase)
    assert (case.question, case.answer, case.wrong_answer, case.entry_id) == (ASKED, RIGHT, WRONG, returns)
    assert not rows(desk, TrainingExample)


def test_undo_restores_everything_as_new_versions(desk: Desk, returns: str) -> None:
    correction = desk.propose(turn_id=desk.turn(ASKED, WRONG, returns), answer=RIGHT)
    desk.approve(correction)
    undone = desk.undo(correction, "cleo")
    assert (undone["status"], undone["decided_by"]) == ("undone", "cleo")
    assert desk.asked(PHRASINGS[0]) == WRONG
    (entry,) = [e for e in desk.shop.stored() if e.id == returns]
    assert [q.text for q in entry.questions] == list(PHRASINGS)
    with desk.database.session() as session:
        versions = session.scalars(select(EntryVersion).filter_by(entry_id=returns).order_by(EntryVersion.version))
        assert [v.version for v in versions] == [1, 2, 3, 4]
    assert [case.active for case in rows(desk, RegressionCase)] == [False]
    assert [event.action for event in rows(desk, AuditEvent)] == ["proposed", "approved", "undone"]


def test_a_retired_entry_is_replaced_for_all_its_phrasings(desk: Desk, returns: str) -> None:
    correction = desk.propose(turn_id=desk.turn(ASKED, WRONG, returns), answer=RIGHT, entry_action="retire")
    approved = desk.approve(correction)
    assert approved["effects"]["entry_id"] != returns
    assert [e.status for e in desk.shop.stored() if e.id == returns] == ["retired"]
    for question in (ASKED, *PHRASINGS):
        assert desk.asked(question) == RIGHT
    desk.undo(correction)
    assert desk.asked(PHRASINGS[0]) == WRONG
    assert [e.status for e in desk.shop.stored() if e.id == approved["effects"]["entry_id"]] == ["retired"]


def test_a_kept_entry_goes_on_and_only_the_asked_phrasing_is_answered_anew(desk: Desk, returns: str) -> None:
    desk.shop.edit(returns, "amend", Content("faq", WRONG, (*PHRASINGS, ASKED)))
    desk.shop.sync()
    turn = desk.turn(ASKED, WRONG, returns)
    correction = desk.propose(turn_id=turn, answer="No, we pay the parcel.", entry_action="keep")
    desk.approve(correction)
    assert desk.asked(ASKED) == "No, we pay the parcel."
    assert desk.asked(PHRASINGS[0]) == WRONG
    desk.undo(correction)
    assert desk.asked(ASKED) == WRONG


def test_an_answer_that_is_there_already_takes_the_phrasing(desk: Desk, returns: str) -> None:
    shops = desk.shop.add("Which towns are you in?", "In Oslo and Bergen.")
    correction = desk.propose(question="Where can I visit you?", answer="In Oslo and Bergen.")
    assert desk.approve(correction)["effects"]["entry_id"] == shops
    assert desk.asked("Where can I visit you?") == "In Oslo and Bergen."


def test_of_a_passage_the_quoted_sentence_goes_and_the_rest_stays(desk: Desk) -> None:
    passage = "Our lamps come with a plug. Every lamp is guaranteed for one year. Bulbs are sold separately."
    with desk.database.session() as session:
        content = Content("passage", passage, title="Lamps")
        wrong = EntryEditor(session, desk.shop.tenant, BY_TEST).add(content, approved=True).id
    desk.shop.sync()
    turn = desk.turn("How long is a lamp guaranteed?", "Every lamp is guaranteed for one year.", wrong)
    correction = desk.propose(turn_id=turn, answer="Every lamp is guaranteed for three years.")
    desk.approve(correction)
    (left,) = [e.answer for e in desk.shop.stored() if e.id == wrong]
    assert "one year" not in left and "come with a plug" in left and "Bulbs" in left
    assert desk.asked("How long is a lamp guaranteed?") == "Every lamp is guaranteed for three years."
    desk.undo(correction)
    assert [e.answer for e in desk.shop.stored() if e.id == wrong] == [passage]


def test_a_wrong_intent_becomes_an_example(desk: Desk, returns: str) -> None:
    turn = desk.turn("my parcel is a wreck", WRONG, returns)
    correction = desk.propose(turn_id=turn, answer="", category="wrong_intent", intent="damaged_item")
    approved = desk.approve(correction)
    assert approved["live"] is None
    (example,) = rows(desk, TrainingExample)
    assert (example.text, example.intent, example.status) == ("my parcel is a wreck", "damaged_item", "approved")
    assert example.source_id == correction
    assert desk.asked(PHRASINGS[0]) == WRONG
    desk.undo(correction)
    assert [example.status for example in rows(desk, TrainingExample)] == ["undone"]


def test_a_question_that_needs_the_turns_before_it_keeps_them(desk: Desk, returns: str) -> None:
    turn = desk.turn("And how long do they take?", "Two weeks.", None, "Do you repair lamps?", "Yes, we do repairs.")
    correction = desk.propose(turn_id=turn, answer="Repairs take five days.")
    desk.approve(correction)
    before = (Utterance("customer", "Do you repair lamps?"), Utterance("bot", "Yes, we do repairs."))
    assert desk.asked("And how long do they take?", *before) == "Repairs take five days."
    (case,) = rows(desk, RegressionCase)
    assert [turn["text"] for turn in case.context] == ["Do you repair lamps?", "Yes, we do repairs."]


def test_without_chroma_it_is_stored_told_and_live_by_its_words(desk_without_index: Desk) -> None:
    desk = desk_without_index
    wrong = desk.shop.add(PHRASINGS[0], WRONG)
    approved = desk.approve(desk.propose(turn_id=desk.turn(PHRASINGS[0], WRONG, wrong), answer=RIGHT))
    assert (approved["status"], approved["live"]) == ("approved", False)
    assert "goes live" in approved["effects"]["note"]
    assert desk.asked(PHRASINGS[0]) == RIGHT


def test_what_waited_for_the_index_is_live_after_a_check(desk: Desk, returns: str, monkeypatch: Any) -> None:
    correction = desk.propose(turn_id=desk.turn(ASKED, WRONG, returns), answer=RIGHT)
    with monkeypatch.context() as away:

        def refuse(*_: object) -> None:
            raise KnowledgeUnavailable

        away.setattr(desk.shop.knowledge.spaces.base.index, "push", refuse)
        assert desk.approve(correction)["live"] is False
    checked = desk.corrections.check(desk.shop.tenant, correction)
    assert (checked["live"], checked["effects"]["note"]) == (True, "")
    assert checked["effects"]["served"].get("new", 0) >= 3


def test_a_second_correction_of_the_same_entry_holds_too(each_desk: Desk) -> None:
    desk = each_desk
    wrong = desk.shop.add(PHRASINGS[0], WRONG)
    first = desk.propose(turn_id=desk.turn(PHRASINGS[0], WRONG, wrong), answer=RIGHT)
    desk.approve(first)
    second = desk.propose(turn_id=desk.turn(PHRASINGS[0], RIGHT, wrong), answer="Returns are free for 60 days.")
    desk.approve(second)
    assert desk.asked(PHRASINGS[0]) == "Returns are free for 60 days."
    desk.undo(second)
    desk.undo(first)
    assert desk.asked(PHRASINGS[0]) == WRONG
    with desk.database.session() as session:
        assert session.scalar(select(func.count()).select_from(RegressionCase).where(RegressionCase.active)) == 0


def test_another_entry_with_the_same_words_loses_them(desk: Desk, returns: str) -> None:
    rival = desk.shop.add("do i pay to send something back", "Ask us.")
    single = desk.propose(turn_id=desk.turn(ASKED, WRONG, returns), answer=RIGHT)
    desk.approve(single)
    assert desk.asked(ASKED) == RIGHT
    assert [e.status for e in desk.shop.stored() if e.id == rival] == ["retired"]
    desk.undo(single)
    assert desk.asked(ASKED) == "Ask us."
