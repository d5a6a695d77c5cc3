"""What a customer is asked after a conversation, and how often."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.conversations import lifecycle
from core.db.models import Conversation, SurveyResponse
from core.errors import InvalidInput, NotFound
from core.feedback import settings, surveys
from core.feedback.surveys import Ending
from core.feedback.types import ENDS_AFTER
from tests.core.feedback.talk import Talk, talk


def over(session: Session, customer: str | None = "c1", days: float = 0) -> Talk:
    """A conversation that has ended."""
    chat = talk(session, customer=customer).wait(days=days)
    chat.asks("How long is delivery?")
    lifecycle.close_conversation(session, chat.conversation.id)
    return chat


def due(chat: Talk) -> Ending:
    return surveys.prepare_ending(chat.session, chat.conversation.id, chat.at)


def answer(chat: Talk, kind: str, score: int | None) -> None:
    surveys.store_survey_answer(chat.session, chat.conversation.id, kind, score)
    chat.session.flush()


def test_nothing_is_asked_while_they_talk_or_where_the_bot_said_nothing(session: Session) -> None:
    chat = talk(session)
    assert due(chat) == Ending(closed=False, survey=None)
    chat.asks("How long is delivery?")
    assert due(chat.wait(minutes=10)) == Ending(closed=False, survey=None)
    assert due(chat.wait(minutes=30)) == Ending(closed=False, survey="csat")
    with pytest.raises(NotFound):
        surveys.prepare_ending(session, "none")


def test_csat_then_nps_each_once_a_conversation(each_session: Session) -> None:
    session = each_session
    settings.update_learning_settings(session, "shop", {"nps": True}, "test")
    chat = over(session)
    assert due(chat) == Ending(closed=True, survey="csat")
    assert due(chat).survey == "csat"
    answer(chat, "csat", 4)
    assert due(chat).survey == "nps"
    answer(chat, "nps", None)
    assert due(chat).survey is None
    rows = session.scalars(select(SurveyResponse).order_by(SurveyResponse.kind)).all()
    assert [(row.kind, row.score) for row in rows] == [("csat", 4), ("nps", None)]
    assert all(row.answered_at for row in rows)


def test_nps_comes_at_most_once_a_customer_in_so_many_days(session: Session) -> None:
    settings.update_learning_settings(session, "shop", {"nps": True, "csat": False, "nps_days": 30}, "test")
    assert due(over(session)).survey == "nps"
    assert due(over(session, days=29)).survey is None
    assert due(over(session, customer="c2", days=29)).survey == "nps"
    assert due(over(session, customer=None)).survey is None
    assert due(over(session, days=31)).survey == "nps"


def test_a_tenant_can_switch_surveys_off(session: Session) -> None:
    settings.update_learning_settings(session, "shop", {"csat": False}, "test")
    assert due(over(session)).survey is None


@pytest.mark.parametrize(("kind", "score"), [("csat", 0), ("csat", 6), ("nps", 11), ("nps", -1)])
def test_a_mark_out_of_range_is_refused(session: Session, kind: str, score: int) -> None:
    with pytest.raises(InvalidInput):
        answer(over(session), kind, score)


def test_what_was_not_asked_cannot_be_answered(session: Session) -> None:
    chat = over(session)
    with pytest.raises(NotFound):
        answer(chat, "nps", 9)
    with pytest.raises(NotFound):
        answer(chat, "mood", 9)
    due(chat)
    with pytest.raises(InvalidInput):
        surveys.store_survey_answer(session, chat.conversation.id, "csat", None, "but why")


def test_a_conversation_ends_after_a_day_of_silence(session: Session) -> None:
    chat = talk(session)
    chat.asks("How long is delivery?")
    assert lifecycle.close_idle(session, chat.at + timedelta(hours=23), ENDS_AFTER) == 0
    later = chat.at + timedelta(hours=25)
    assert lifecycle.close_idle(session, later, ENDS_AFTER) == 1
    assert lifecycle.close_idle(session, later, ENDS_AFTER) == 0
    ended = session.get_one(Conversation, chat.conversation.id, populate_existing=True)
    assert (ended.status, ended.closed_at) == ("closed", later)
