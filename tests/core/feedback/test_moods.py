"""How messages sound, in shares by day, channel and intent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.db.models import Message
from core.feedback.analytics import compute_analytics
from core.feedback.moods import compute_moods
from core.feedback.types import FeedbackFilter
from tests.core.feedback.talk import BEGIN, Talk, talk


def asks(chat: Talk, feeling: str | None, **fields: str) -> None:
    turn = chat.asks("Hello?", **fields)
    chat.session.get_one(Message, turn.message_id).sentiment = feeling
    chat.wait(seconds=30)


@pytest.fixture
def told(session: Session) -> Session:
    """Two days on the web, one message on WhatsApp, one that nobody looked at, one of another tenant."""
    web = talk(session)
    asks(web, "neutral", intent="refund")
    asks(web, "negative", intent="refund")
    asks(web, None)
    web.wait(days=1)
    asks(web, "angry", intent=None)  # type: ignore[arg-type]
    asks(talk(session, channel="whatsapp"), "positive", intent="thanks")
    asks(talk(session, tenant="another"), "angry")
    return session


def groups(session: Session, by: str, wanted: FeedbackFilter | None = None) -> dict[str, tuple[int, float, float]]:
    found = compute_moods(session, "shop", wanted or FeedbackFilter(), by)  # type: ignore[arg-type]
    return {g["name"]: (g["messages"], g["negative_rate"], g["angry_rate"]) for g in found["groups"]}


def test_the_shares_are_by_day_channel_and_intent(told: Session) -> None:
    assert groups(told, "day") == {"2026-03-02": (3, 0.3333, 0.0), "2026-03-03": (1, 1.0, 1.0)}
    assert groups(told, "channel") == {"web": (3, 0.6667, 0.3333), "whatsapp": (1, 0.0, 0.0)}
    assert groups(told, "intent") == {"refund": (2, 0.5, 0.0), "thanks": (1, 0.0, 0.0), "unknown": (1, 1.0, 1.0)}


def test_period_channel_and_intent_narrow_it(told: Session) -> None:
    assert set(groups(told, "day", FeedbackFilter(start=BEGIN + timedelta(hours=12)))) == {"2026-03-03"}
    assert set(groups(told, "channel", FeedbackFilter(channel="web"))) == {"web"}
    assert set(groups(told, "channel", FeedbackFilter(intent="thanks"))) == {"whatsapp"}


def test_they_stand_with_the_figures_of_feedback(told: Session) -> None:
    found = compute_analytics(told, "shop", FeedbackFilter(), "entry")["sentiment"]
    assert found["by"] == "day" and found["total"]["angry"] == 1 and found["total"]["negative_rate"] == 0.5
    assert compute_moods(told, "nobody", FeedbackFilter(), "day")["total"]["negative_rate"] is None
