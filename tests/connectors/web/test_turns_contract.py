"""What the web channel expects of turns, held against the double and against the real ones with a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from connectors.web import routes
from connectors.web.access import WebAccess
from connectors.web.tokens import SessionTokens
from core.bot.texts import Texts
from core.conversations.feedback import Feedback
from core.conversations.turns import Turns
from core.db import Database
from core.events import Hub
from testing.fake_rasa import FakeRasa
from tests.connectors.conftest import CONFIG, PAGE, open_session
from tests.connectors.doubles import FakeFeedback, FakeTurns

MESSAGES = "/api/chat/messages"
ASKS_BACK = {"text": "Are you asking about:", "buttons": [{"title": "A refund", "payload": "/refund"}]}
ANSWERED = {"custom": {"rejoinder": {"outcome": "answered", "confidence": 0.9}}}


def _answering(turns: FakeTurns, conversation_id: str, turn_id: str, text: str) -> None:
    if text == "A refund":
        turns.answer(conversation_id, turn_id, "Five days.")
    else:
        turns.say(conversation_id, ASKS_BACK["text"], turn_id=turn_id, buttons=("A refund",))


@pytest.fixture(params=["double", "real"])
async def chat(request: pytest.FixtureRequest, sqlite: Database) -> AsyncIterator[httpx.AsyncClient]:
    rasa = FakeRasa()
    rasa.answers.extend([[ASKS_BACK], [{"text": "Five days."}, ANSWERED]])
    real = Turns(sqlite, rasa, Hub(), Texts("failed", "waiting"), 4000)
    turns = real if request.param == "real" else FakeTurns(answering=_answering)
    app = FastAPI()
    feedback = Feedback(sqlite) if request.param == "real" else FakeFeedback(turns)
    app.include_router(routes.router(turns, feedback, turns.hub, WebAccess(CONFIG)))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="https://chat.example", headers={"Origin": PAGE}
    ) as chat:
        yield chat
    await real.stop()


async def _history(chat: httpx.AsyncClient, bearer: dict[str, str], length: int) -> list[dict]:
    """The messages, once there are so many."""
    async with asyncio.timeout(10):
        while True:
            messages = (await chat.get("/api/chat/history", headers=bearer)).json()["messages"]
            if len(messages) >= length:
                return messages


async def test_a_question_a_press_and_a_thumb(chat):
    bearer = await open_session(chat)
    first = await chat.post(MESSAGES, headers=bearer, json={"client_id": "a", "text": "how long?"})
    assert (first.status_code, first.json()["seq"], first.json()["new"]) == (202, 1, True)
    asked, offer = await _history(chat, bearer, 2)
    assert (asked["speaker"], asked["client_id"], asked["id"]) == ("customer", "a", first.json()["message_id"])
    assert (offer["speaker"], offer["buttons"]) == ("bot", ["A refund"])

    press = {"client_id": "b", "press": {"message_id": offer["id"], "index": 0}}
    assert (await chat.post(MESSAGES, headers=bearer, json=press)).status_code == 202
    *_, pressed, answer = await _history(chat, bearer, 4)
    assert (pressed["text"], answer["text"], answer["rateable"]) == ("A refund", "Five days.", True)
    assert [message["seq"] for message in await _history(chat, bearer, 4)] == [1, 2, 3, 4]

    thumb = await chat.put(f"{MESSAGES}/{answer['id']}/feedback", headers=bearer, json={"helpful": True})
    assert thumb.status_code == 204
    assert (await _history(chat, bearer, 4))[-1]["helpful"] is True


async def test_repeats_and_strangers(chat):
    bearer, stranger = await open_session(chat), await open_session(chat)
    body = {"client_id": "a", "text": "how long?"}
    first = (await chat.post(MESSAGES, headers=bearer, json=body)).json()
    again = (await chat.post(MESSAGES, headers=bearer, json=body)).json()
    assert again == first | {"new": False}
    _, offer = await _history(chat, bearer, 2)
    press = {"client_id": "b", "press": {"message_id": offer["id"], "index": 0}}
    assert (await chat.post(MESSAGES, headers=stranger, json=press)).status_code == 404
    rating = await chat.put(f"{MESSAGES}/{offer['id']}/feedback", headers=stranger, json={"helpful": True})
    assert rating.status_code == 404
    assert (await chat.get("/api/chat/history", headers=stranger)).json() == {"messages": []}


@pytest.mark.parametrize(("text", "why"), [("\u200b", "empty"), ("a" * 20_000, "too long")])
async def test_texts_that_cannot_be_answered(chat, text, why):
    bearer = await open_session(chat)
    response = await chat.post(MESSAGES, headers=bearer, json={"client_id": "a", "text": text})
    assert response.status_code == 422
    assert why in response.json()["error"]["message"]


async def test_the_end_of_a_chat_is_asked_about_and_a_browser_stays_the_same_customer(chat):
    bearer = await open_session(chat)
    await chat.post(MESSAGES, headers=bearer, json={"client_id": "a", "text": "how long?"})
    await _history(chat, bearer, 2)
    assert (await chat.post("/api/chat/surveys", headers=bearer)).json() == {"closed": False, "survey": None}
    assert (await chat.post("/api/chat/end", headers=bearer)).json()["closed"] is True
    unasked = await chat.put("/api/chat/surveys/nps", headers=bearer, json={"score": 9})
    assert unasked.status_code == 404
    for body in ({}, {"score": "5"}, {"score": 5, "colour": 1}):
        assert (await chat.put("/api/chat/surveys/csat", headers=bearer, json=body)).status_code == 422
    assert (await chat.put("/api/chat/surveys/mood", headers=bearer, json={"score": 1})).status_code == 404
    token = bearer["Authorization"].removeprefix("Bearer ")
    fresh = await chat.post("/api/chat/sessions", json={"token": token, "fresh": True})
    assert fresh.status_code == 201
    first, second = (chat_tokens().visitor(each) for each in (token, fresh.json()["token"]))
    assert first.conversation_id != second.conversation_id
    assert first.customer_id == second.customer_id is not None
    stranger = await chat.post("/api/chat/sessions", json={"token": "forged", "fresh": True})
    assert chat_tokens().visitor(stranger.json()["token"]).customer_id != first.customer_id


def chat_tokens() -> SessionTokens:
    return SessionTokens(CONFIG.secret, CONFIG.tenant, CONFIG.session_seconds)
