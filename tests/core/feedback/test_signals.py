"""What is seen without asking, and the satisfaction that it suggests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.feedback import settlement, thumbs
from core.feedback.signals import BehaviourSignals, SignalTurn, shared_words, signals_of
from tests.core.feedback.talk import Talk, talk


def settle(talk: Talk) -> int:
    return settlement.settle_answers(talk.session, talk.at)[0]


def test_who_goes_on_to_something_else_was_content(each_session: Session) -> None:
    chat = talk(each_session)
    first = chat.asks("How long is delivery?")
    chat.wait(seconds=20).asks("Do you sell lamps?")
    assert settle(chat) == 1
    row = chat.feedback(first)
    assert (row.continued, row.rephrased, row.asked_for_person, row.left) == (True, False, False, False)
    assert (row.response_seconds, row.implicit_score, row.source, row.helpful) == (20, 0.7, "implicit", None)


def test_who_asks_the_same_in_other_words_was_not(session: Session) -> None:
    chat = talk(session)
    first = chat.asks("How long does the delivery take?")
    chat.wait(seconds=20).asks("How long does delivery to Oslo take?")
    settle(chat)
    assert (chat.feedback(first).rephrased, chat.feedback(first).continued) == (True, False)
    assert chat.feedback(first).implicit_score == pytest.approx(0.15)


def test_a_button_that_says_the_same_is_no_rephrasing(session: Session) -> None:
    chat = talk(session)
    first = chat.asks("How long does the delivery take?")
    chat.wait(seconds=20).asks("How long does the delivery take?", payload="/choose")
    settle(chat)
    assert chat.feedback(first).rephrased is False


@pytest.mark.parametrize("following", [{"intent": "talk_to_person"}, {"outcome": "handoff"}])
def test_who_asks_for_a_person_was_not_helped(session: Session, following: dict[str, str]) -> None:
    chat = talk(session)
    first = chat.asks("How long is delivery?")
    chat.wait(seconds=20).asks("Let me speak to someone", **{"rateable": False, **following})
    settle(chat)
    assert (chat.feedback(first).asked_for_person, chat.feedback(first).implicit_score) == (True, 0.1)


def test_who_says_nothing_more_has_left_after_half_an_hour_and_may_come_back(session: Session) -> None:
    chat = talk(session)
    first = chat.asks("How long is delivery?")
    assert settle(chat.wait(minutes=29)) == 0
    assert settle(chat.wait(minutes=2)) == 1
    assert (chat.feedback(first).left, chat.feedback(first).implicit_score) == (True, 0.5)
    assert settle(chat) == 0
    chat.wait(hours=2).asks("Do you sell lamps?")
    assert settle(chat) == 1
    assert (chat.feedback(first).left, chat.feedback(first).continued) == (False, True)


def test_a_task_that_was_done_counts_and_one_that_was_stopped_does_not(session: Session) -> None:
    chat = talk(session)
    done = chat.asks("Cancel order 1", outcome="action", intent="cancel_order")
    stopped = chat.wait(minutes=1).asks("Never mind", outcome="action", intent="stop")
    settle(chat.wait(hours=1))
    assert (chat.feedback(done).completed, chat.feedback(stopped).completed) == (True, False)
    assert chat.feedback(done).implicit_score == 1.0


def test_an_answer_whose_next_question_is_still_open_waits(session: Session) -> None:
    chat = talk(session)
    chat.asks("How long is delivery?")
    chat.wait(seconds=20).asks("And?", status="waiting", rateable=False)
    assert settle(chat.wait(hours=1)) == 0


def test_signals_and_thumb_share_a_row(session: Session) -> None:
    chat = talk(session)
    first = chat.asks("How long is delivery?")
    given = thumbs.store_rating(session, chat.conversation.id, chat.answer_of(first).id, helpful=True, comment="Thanks")
    settle(chat.wait(hours=1))
    assert (given.helpful, given.comment, given.source, given.left) == (True, "Thanks", "widget", True)


def test_many_answers_are_settled_in_steps(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement, "AT_ONCE", 2)
    chat = talk(session)
    for number in range(5):
        chat.wait(seconds=30).asks(f"Question about thing{number} please")
    done, after = settlement.settle_answers(session, chat.at)
    total = done
    while after:
        done, after = settlement.settle_answers(session, chat.at, after)
        total += done
    assert total == 4


@given(
    st.builds(
        BehaviourSignals, *[st.booleans()] * 1, st.sampled_from([True, False, None]), *[st.booleans()] * 3, st.none()
    )
)
def test_the_score_stays_between_0_and_1(signals: BehaviourSignals) -> None:
    assert 0 <= signals.score <= 1


def test_the_same_entry_makes_a_looser_wording_the_same_question() -> None:
    first, second = "parcel tracking number", "where is my parcel right now"
    plain = [SignalTurn(text, "ask", "answered") for text in (first, second)]
    same = [SignalTurn(text, "ask", "answered", frozenset({"e1"})) for text in (first, second)]
    assert not signals_of(*plain, 9.0, lambda *_: 0.6).rephrased
    assert signals_of(*same, 9.0, lambda *_: 0.6).rephrased
    assert shared_words("Hi", "hi") == 1.0
    assert shared_words("", "x") == 0.0
