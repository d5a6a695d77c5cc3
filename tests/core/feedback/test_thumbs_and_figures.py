"""Thumbs, links, pages of feedback, and its figures."""

from __future__ import annotations

from datetime import timedelta

import pytest
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.orm import Session

from core.conversations import lifecycle
from core.errors import InvalidInput, NotFound, Unauthorised
from core.feedback import settings, settlement, surveys, thumbs
from core.feedback.analytics import compute_analytics
from core.feedback.links import RatingLinks
from core.feedback.queries import list_feedback
from core.feedback.types import FeedbackFilter
from tests.core.feedback.talk import Talk, talk


def give(chat: Talk, number: int, *, helpful: bool, comment: str | None = None) -> None:
    message = chat.answer_of(chat.turns[number])
    thumbs.store_rating(chat.session, chat.conversation.id, message.id, helpful=helpful, comment=comment)


@pytest.fixture
def chat(session: Session) -> Talk:
    """Two answers on the web, with a thumb each; one on WhatsApp without; one of another tenant."""
    chat = talk(session)
    chat.asks("How long is delivery?", entries=[{"id": "e1", "score": 1}], intent="delivery_options")
    chat.wait(seconds=30).asks("Do you sell lamps?", entries=[{"id": "e1", "score": 1}, {"id": "e2", "score": 1}])
    give(chat, 0, helpful=True)
    give(chat, 1, helpful=False, comment="Which ones?")
    phone = talk(session, channel="whatsapp")
    phone.asks("Are you open?")
    talk(session, tenant="another").asks("Hello?")
    settlement.settle_answers(session, chat.wait(hours=2).at)
    session.flush()
    return chat


def test_a_thumb_keeps_its_comment_until_it_turns(chat: Talk) -> None:
    give(chat, 1, helpful=False)
    assert chat.feedback(chat.turns[1]).comment == "Which ones?"
    give(chat, 1, helpful=True)
    assert chat.feedback(chat.turns[1]).comment is None
    message = chat.answer_of(chat.turns[1])
    with pytest.raises(InvalidInput):
        thumbs.store_rating(chat.session, chat.conversation.id, message.id, helpful=True, source="nobody")  # type: ignore[arg-type]


def test_sometimes_is_one_in_three_and_stays_so() -> None:
    ids = [f"turn-{number}" for number in range(3000)]
    shown = [thumbs.is_offered("sometimes", turn) for turn in ids]
    assert 900 < sum(shown) < 1100
    assert shown == [thumbs.is_offered("sometimes", turn) for turn in ids]
    assert thumbs.is_offered("always", "t") and not thumbs.is_offered("never", "t")


def test_pages_are_filtered_and_counted(chat: Talk) -> None:
    def found(limit: int = 10, offset: int = 0, **wanted: object) -> tuple[int, list[str]]:
        page = list_feedback(chat.session, "shop", FeedbackFilter(**wanted), limit, offset)
        return page.total, [item["question"] for item in page.items]

    delivery, lamps, hours = "How long is delivery?", "Do you sell lamps?", "Are you open?"
    assert found()[0] == 3
    assert found(limit=1, helpful=True) == (1, [delivery])
    assert found(commented=True) == (1, [lamps])
    assert found(source="implicit") == found(channel="whatsapp") == (1, [hours])
    assert found(intent="delivery_options") == (1, [delivery])
    assert found(entry="e2") == (1, [lamps])
    assert found(entry="%") == (0, [])
    assert found(limit=2, offset=2)[0] == 3 and len(found(limit=2, offset=2)[1]) == 1
    assert found(end=chat.at - timedelta(days=365))[0] == 0


def test_figures_in_all_and_by_group(chat: Talk) -> None:
    whole = compute_analytics(chat.session, "shop", FeedbackFilter(), "entry")
    total = whole["total"]
    assert (total["answers"], total["rated"], total["helpful"], total["not_helpful"]) == (3, 2, 1, 1)
    assert (total["rating_rate"], total["helpful_rate"], total["comments"]) == (0.6667, 0.5, 1)
    assert (total["settled"], total["continuation_rate"], total["left_rate"]) == (3, 0.3333, 0.6667)
    assert (total["completion_rate"], total["handoff_rate"]) == (None, 0.0)
    assert total["average_implicit_score"] == pytest.approx((0.7 + 0.5 + 0.5) / 3, abs=1e-3)
    assert [(group["name"], group["answers"]) for group in whole["groups"]] == [("e1", 2), ("e2", 1)]
    for by, names in [("channel", ["web", "whatsapp"]), ("intent", ["ask_knowledge", "delivery_options"])]:
        assert [
            group["name"] for group in compute_analytics(chat.session, "shop", FeedbackFilter(), by)["groups"]
        ] == names
    assert len(compute_analytics(chat.session, "shop", FeedbackFilter(), "day")["groups"]) == 1
    assert compute_analytics(chat.session, "nobody", FeedbackFilter(), "day")["total"]["helpful_rate"] is None


def test_surveys_are_summed_up(session: Session) -> None:
    settings.update_learning_settings(session, "shop", {"nps": True}, "test")
    for number, (csat, nps) in enumerate([(5, 10), (4, 9), (2, 3), (None, None)]):
        chat = talk(session, customer=f"c{number}")
        chat.asks("Hello there?")
        lifecycle.close_conversation(session, chat.conversation.id)
        for kind, score in (("csat", csat), ("nps", nps)):
            assert surveys.prepare_ending(session, chat.conversation.id, chat.at).survey == kind
            surveys.store_survey_answer(session, chat.conversation.id, kind, score)
            session.flush()
    found = compute_analytics(session, "shop", FeedbackFilter(), "day")["surveys"]
    assert found["csat"] == {"asked": 4, "answered": 3, "average": 3.6667, "satisfied_rate": 0.6667}
    assert found["nps"] == {"asked": 4, "answered": 3, "score": 33.3}


def test_a_link_is_good_for_one_answer_and_cannot_be_forged(chat: Talk) -> None:
    links, message = RatingLinks("secret"), chat.answer_of(chat.turns[0])
    issued = links.issue(chat.session, "shop", message.id)
    answer = links.answer(issued.token)
    assert (answer.conversation_id, answer.message_id) == (chat.conversation.id, message.id)
    forged = str(URLSafeTimedSerializer("guess", salt="rejoinder.feedback").dumps({"c": "x", "m": "y"}))
    for bad in (forged, issued.token + "x", "", RatingLinks("other").issue(chat.session, "shop", message.id).token):
        with pytest.raises(Unauthorised):
            links.answer(bad)
    with pytest.raises(Unauthorised, match="expired"):
        RatingLinks("secret", days=-1).answer(issued.token)
    with pytest.raises(NotFound):
        links.issue(chat.session, "another", message.id)
