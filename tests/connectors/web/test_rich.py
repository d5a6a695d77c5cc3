"""A rich answer over the chat API, by the real turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from connectors.web import routes
from connectors.web.access import WebAccess
from core.bot.texts import Texts
from core.conversations.feedback import Feedback
from core.conversations.turns import Turns
from core.db import Database
from core.db.models import Message
from core.events import Hub
from testing.fake_rasa import FakeRasa
from tests.connectors.conftest import CONFIG, PAGE, open_session

MESSAGES = "/api/chat/messages"
SHOP = "https://shop.example"


@pytest.fixture
def rasa() -> FakeRasa:
    return FakeRasa()


@pytest.fixture
async def chat(sqlite: Database, rasa: FakeRasa) -> AsyncIterator[httpx.AsyncClient]:
    turns = Turns(sqlite, rasa, Hub(), Texts("That failed.", "waiting"), 4000)  # type: ignore[arg-type]
    app = FastAPI()
    app.include_router(routes.router(turns, Feedback(sqlite), turns.hub, WebAccess(CONFIG)))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="https://chat.example", headers={"Origin": PAGE}
    ) as http:
        http.headers.update(await open_session(http))
        yield http
    await turns.stop()


async def said(chat: httpx.AsyncClient, length: int) -> list[dict[str, Any]]:
    """The messages, once there are so many."""
    async with asyncio.timeout(10):
        while len(messages := (await chat.get("/api/chat/history")).json()["messages"]) < length:
            pass
    return messages


async def test_each_utterance_is_a_message_with_all_that_belongs_to_it(chat: httpx.AsyncClient, rasa: FakeRasa) -> None:
    buttons = [{"title": "Buy", "payload": "/buy"}, {"title": "Shop", "type": "web_url", "url": SHOP}]
    rasa.answers.append(
        [
            {"whole": True, "text": "Look.", "image": f"{SHOP}/lamp.png", "buttons": buttons},
            {"whole": True, "custom": {"open": "cart"}},
            {"whole": True, "custom": {"rejoinder": {"outcome": "answered"}}, "text": "Anything else?"},
        ]
    )
    assert (await chat.post(MESSAGES, json={"client_id": "a", "text": "lamps"})).status_code == 202

    _, look, page, more = await said(chat, 4)
    assert [each["kind"] for each in look["attachments"]] == ["image", "link"]
    assert (look["text"], look["buttons"], page["text"], more["text"]) == ("Look.", ["Buy"], "", "Anything else?")
    assert page["attachments"] == [{"kind": "custom", "payload": {"open": "cart"}}]
    assert (look["rateable"], page["rateable"], more["rateable"]) == (False, False, True)
    press = {"client_id": "b", "press": {"message_id": look["id"], "index": 1}}
    assert (await chat.post(MESSAGES, json=press)).status_code == 404  # a link is no choice


async def test_an_answer_of_which_nothing_is_good_is_a_failure_with_a_sentence(
    chat: httpx.AsyncClient, rasa: FakeRasa
) -> None:
    rasa.answers.append([{"whole": True, "image": "javascript:alert(1)"}])
    await chat.post(MESSAGES, json={"client_id": "a", "text": "lamps"})
    assert (await said(chat, 2))[1]["text"] == "That failed."


async def test_a_link_button_of_an_earlier_release_can_be_pressed(
    chat: httpx.AsyncClient, rasa: FakeRasa, sqlite: Database
) -> None:
    rasa.answers.append([{"text": "Look.", "buttons": [{"title": "Buy", "payload": "/buy"}]}])
    await chat.post(MESSAGES, json={"client_id": "a", "text": "lamps"})
    offered = (await said(chat, 2))[1]
    with sqlite.session() as session:
        row = update(Message).filter_by(id=offered["id"])
        session.execute(row.values(buttons=[{"title": "Shop", "type": "web_url", "url": SHOP}]))
    press = {"client_id": "b", "press": {"message_id": offered["id"], "index": 0}}
    assert (await chat.post(MESSAGES, json=press)).status_code == 202
    await said(chat, 4)
    assert rasa.heard[-1] == "Shop"
