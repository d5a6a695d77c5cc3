"""Who may say that a reused answer was right, and what is counted."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import (
    Conversation,
    HumanCorrection,
    InteractionFeedback,
    Message,
    ReuseObservation,
    Turn,
)
from core.errors import InvalidInput
from knowledge.answers import reuse
from knowledge.answers.reuse import observations
from knowledge.answers.reuse.holdout import is_held_out
from knowledge.answers.reuse.statistics import Share, by_entry

TENANT = "t"


def turn(session: Session, conversation_id: str | None = None) -> Turn:
    conversation = session.get(Conversation, conversation_id) if conversation_id else None
    if conversation is None:
        conversation = Conversation(tenant_id=TENANT, channel="web")
        session.add(conversation)
        session.flush()
    message = Message(
        tenant_id=TENANT,
        conversation_id=conversation.id,
        seq=conversation.next_seq(),
        speaker="customer",
        text="Where is it?",
    )
    session.add(message)
    session.flush()
    row = Turn(tenant_id=TENANT, conversation_id=conversation.id, message_id=message.id, channel="web")
    session.add(row)
    session.flush()
    return row


def seen(session: Session, turn_id: str, entry_id: str = "e", *, reused: bool = True, held_out: bool = False) -> None:
    reuse.record_observation(
        session, TENANT, entry_id, turn_id=turn_id, text="Where is it?", score=0.9, reused=reused, held_out=held_out
    )
    session.flush()


def thumb(session: Session, turn: Turn, *, helpful: bool) -> InteractionFeedback:
    row = InteractionFeedback(
        tenant_id=TENANT,
        conversation_id=turn.conversation_id,
        turn_id=turn.id,
        message_id=turn.message_id,
        helpful=helpful,
        source="widget",
    )
    session.add(row)
    session.flush()
    return row


def only(session: Session) -> ReuseObservation:
    return session.scalars(select(ReuseObservation)).one()


def test_a_turn_that_is_tried_twice_is_observed_once(database: Database) -> None:
    with database.session() as session:
        asked = turn(session)
        seen(session, asked.id, reused=False)
        seen(session, asked.id, reused=True)
        assert only(session).reused


def test_a_thumb_counts_and_may_change(database: Database) -> None:
    with database.session() as session:
        asked = turn(session)
        seen(session, asked.id)
        row = thumb(session, asked, helpful=True)
        assert reuse.apply_judgements(session) == 1
        assert (only(session).correct, only(session).judged_by) == (True, "thumb")
        row.helpful = False
        session.flush()
        assert reuse.apply_judgements(session) == 1
        assert only(session).correct is False
        assert reuse.apply_judgements(session) == 0


def test_a_correction_outweighs_a_thumb(database: Database) -> None:
    with database.session() as session:
        asked = turn(session)
        seen(session, asked.id)
        thumb(session, asked, helpful=True)
        session.add(
            HumanCorrection(
                tenant_id=TENANT,
                turn_id=asked.id,
                question="q",
                bot_answer="a",
                answer="b",
                category="wrong_intent",
                author="ann",
                status="approved",
            )
        )
        session.flush()
        reuse.apply_judgements(session)
        assert (only(session).correct, only(session).judged_by) == (False, "correction")
        assert reuse.judge_reuse(session, asked.id, correct=True, by="thumb") == 0
        assert reuse.apply_judgements(session) == 0


def test_a_press_on_a_suggestion_confirms_it_and_denies_the_others(sqlite: Database) -> None:
    with sqlite.session() as session:
        first = turn(session)
        seen(session, first.id, "this", reused=False)
        seen(session, first.id, "that", reused=False)
        pressed = turn(session, first.conversation_id)
        assert observations.confirm_entry(session, pressed.id, "this") == 2
        rows = {row.entry_id: row.correct for row in session.scalars(select(ReuseObservation))}
        assert rows == {"this": True, "that": False}


def test_a_model_alone_moves_no_bound(sqlite: Database) -> None:
    with sqlite.session() as session:
        asked = turn(session)
        seen(session, asked.id)
        reuse.judge_reuse(session, asked.id, correct=True, by="model")
        session.flush()
        assert observations.list_judged_scores(session, TENANT, "e") == []
        reuse.judge_reuse(session, asked.id, correct=True, by="reviewer")
        session.flush()
        assert len(observations.list_judged_scores(session, TENANT, "e")) == 1


def test_nobody_else_may_judge(sqlite: Database) -> None:
    with sqlite.session() as session, pytest.raises(InvalidInput, match="none of them"):
        reuse.judge_reuse(session, "t", correct=True, by="guess")


def test_error_and_worth_are_measured_for_each_entry(database: Database) -> None:
    with database.session() as session:
        for number in range(20):
            asked = turn(session)
            held_out = number >= 12
            seen(session, asked.id, reused=not held_out, held_out=held_out)
            thumb(session, asked, helpful=number < 11)
        reuse.apply_judgements(session)
        found = by_entry(session, TENANT)[0]
    assert (found.reused, found.held_out, found.error) == (12, 8, Share(1, 12))
    assert found.error.interval == pytest.approx((0.0149, 0.3539), abs=0.001)
    assert found.helpful.value == pytest.approx(11 / 12)
    low, high = found.helpful.interval
    assert 0.3 < low < found.helpful.value < high <= 1
    assert found.resolved.value is None


def test_the_hold_out_takes_its_share_and_stays_with_it() -> None:
    held = [is_held_out(f"c{n}", "e", 0.1) for n in range(5000)]
    assert 400 < sum(held) < 600
    assert held == [is_held_out(f"c{n}", "e", 0.1) for n in range(5000)]
    assert not any(is_held_out(f"c{n}", "e", 0.0) for n in range(1000))
