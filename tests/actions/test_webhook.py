"""Only who knows the secret runs actions; a failing action still gives the customer a sentence."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI
from rasa_sdk import Action
from rasa_sdk.executor import ActionExecutor

from actions.reply import Note, send_reply
from actions.servers import ActionServers
from actions.webhook import router
from core.events import Chunk, Hub


class Speak(Action):
    """Streams two words, then says both."""

    def name(self) -> str:
        return "action_speak"

    async def run(self, dispatcher: Any, tracker: Any, domain: Any) -> list[dict[str, Any]]:
        if dispatcher._stream_sink:
            await dispatcher.stream_chunk(text="two ")
            await dispatcher.stream_chunk(text="days")
            await dispatcher.stream_end()
        send_reply(dispatcher, Note(outcome="answered", confidence=0.9), text="two days")
        return []


class Break(Action):
    """Always fails."""

    def name(self) -> str:
        return "action_break"

    async def run(self, dispatcher: Any, tracker: Any, domain: Any) -> list[dict[str, Any]]:
        raise ValueError


def call(action: str) -> dict[str, Any]:
    latest = {
        "text": "how long",
        "intent": {"name": "ask", "confidence": 0.8},
        "nlu_ms": 4.5,
        "metadata": {"turn_id": "t"},
    }
    tracker = {
        "sender_id": "c",
        "slots": {},
        "latest_message": latest,
        "events": [],
        "paused": False,
        "followup_action": None,
        "active_loop": {},
        "latest_action_name": None,
    }
    return {"next_action": action, "sender_id": "c", "tracker": tracker}


async def post(hub: Hub, action: str, secret: str = "s") -> httpx.Response:
    executor = ActionExecutor()
    executor.register_action(Speak())
    executor.register_action(Break())
    app = FastAPI()
    app.include_router(router(executor, hub, "s", ActionServers()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        return await http.post("/webhook", json=call(action), headers={"Authorization": f"Bearer {secret}"})


async def test_a_wrong_secret_runs_nothing() -> None:
    assert (await post(Hub(), "action_speak", secret="guess")).status_code == 401


async def test_the_note_carries_how_the_message_was_understood() -> None:
    (response,) = (await post(Hub(), "action_speak")).json()["responses"]
    assert response["text"] == "two days"
    assert response["custom"]["rejoinder"]["understanding"] == {"intent": "ask", "confidence": 0.8, "nlu_ms": 4.5}


async def test_chunks_go_to_who_watches_and_the_answer_is_said_once() -> None:
    hub = Hub()
    with hub.watch("c") as queue:
        responses = (await post(hub, "action_speak")).json()["responses"]
        chunks = [await asyncio.wait_for(queue.get(), 1) for _ in range(2)]
    assert chunks == [Chunk("t", "two "), Chunk("t", "days")]
    assert [response["text"] for response in responses] == ["two days"]


async def test_a_failing_action_apologises() -> None:
    (response,) = (await post(Hub(), "action_break")).json()["responses"]
    assert response["response"] == "utter_failed"
    note = {"outcome": "failed", "error": "the action action_break failed: ValueError()"}
    assert response["custom"]["rejoinder"] == note
