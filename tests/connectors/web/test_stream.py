"""The event stream: nothing falls between what is stored and what is live, and nothing comes twice."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Self

import pytest

from connectors.web.channel import WebChannel
from connectors.web.stream import Stream
from connectors.web.tokens import SessionTokens
from core.errors import NotFound
from core.events import MessageStored
from tests.connectors.doubles import FakeTurns

RENDER = WebChannel(SessionTokens("secret", "shop", 60)).render


@dataclass
class Follower:
    """Reads a stream event by event."""

    turns: FakeTurns
    conversation_id: str
    after: int = 0

    async def __aenter__(self) -> Self:
        self.events = Stream(self.turns, self.turns.hub, RENDER).follow(self.conversation_id, self.after)
        assert (await anext(self.events)).comment == "open"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.events.aclose()

    async def take(self, count: int) -> list[tuple[str, str]]:
        """(event, text) of the next ones."""
        taken = []
        for _ in range(count):
            event = await asyncio.wait_for(anext(self.events), 2)
            data = json.loads(event.data)
            taken.append((event.event, data.get("text", data.get("outcome"))))
        return taken


@pytest.fixture
async def conversation_id(turns: FakeTurns) -> str:
    return await turns.open("shop", "web")


async def test_a_new_visitor_sees_the_answer_being_written(turns, conversation_id):
    async with Follower(turns, conversation_id) as stream:
        turns.answer(conversation_id, "t1", "Within ", "30 days.")
        assert await stream.take(5) == [
            ("typing", None),
            ("chunk", "Within "),
            ("chunk", "30 days."),
            ("message", "Within 30 days."),
            ("ended", "answered"),
        ]


async def test_what_was_missed_comes_first(turns, conversation_id):
    for text in ("one", "two", "three"):
        turns.say(conversation_id, text)
    async with Follower(turns, conversation_id, after=1) as stream:
        turns.say(conversation_id, "four")
        assert await stream.take(3) == [("message", "two"), ("message", "three"), ("message", "four")]


async def test_a_message_stored_while_history_is_read_comes_once(turns, conversation_id):
    async def history_with_a_message_in_between(conversation: str, after: int = 0) -> list[MessageStored]:
        if not turns.conversations[conversation]:
            turns.say(conversation, "between")
        return await FakeTurns.history(turns, conversation, after)

    turns.history = history_with_a_message_in_between
    async with Follower(turns, conversation_id) as stream:
        turns.say(conversation_id, "after")
        assert await stream.take(2) == [("message", "between"), ("message", "after")]


async def test_a_message_that_this_process_was_not_told_of_is_fetched(turns, conversation_id):
    async with Follower(turns, conversation_id) as stream:
        watchers = turns.hub._watchers.pop(conversation_id)
        turns.say(conversation_id, "unheard")
        turns.hub._watchers[conversation_id] = watchers
        turns.say(conversation_id, "heard")
        assert await stream.take(2) == [("message", "unheard"), ("message", "heard")]


async def test_two_watchers_see_the_same(turns, conversation_id):
    async with Follower(turns, conversation_id) as one, Follower(turns, conversation_id) as two:
        turns.say(conversation_id, "hello")
        assert await one.take(1) == await two.take(1) == [("message", "hello")]


async def test_who_leaves_is_no_longer_watching(turns, conversation_id):
    async with Follower(turns, conversation_id):
        assert turns.hub.watched(conversation_id)
    assert not turns.hub.watched(conversation_id)


async def test_a_conversation_that_is_not_there_is_known_before_the_first_byte(turns):
    events = Stream(turns, turns.hub, RENDER).follow("nowhere", 0)
    with pytest.raises(NotFound):
        await anext(events)
    assert not turns.hub.watched("nowhere")


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "9" * 30, "٣"])
async def test_a_last_event_id_that_is_not_ours_is_refused(client, bearer, number):
    response = await client.get("/api/chat/stream", headers={**bearer, "Last-Event-ID": number.encode()})
    assert response.status_code == 422


async def test_a_stream_needs_a_token(client):
    assert (await client.get("/api/chat/stream")).status_code == 401
