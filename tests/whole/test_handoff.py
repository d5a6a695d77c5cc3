"""A person takes over in the running instance: asked for in the web chat, answered through the API and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from console.chat import Chat
from testing.instance import Instance
from testing.waiting import eventually
from tests.whole.test_bot import alive, kill, rejoinder, turns


@pytest.fixture
def chat(bot: Instance) -> Iterator[Chat]:
    with httpx.Client(base_url=bot.url, timeout=60) as http:
        yield Chat.open(http)


@pytest.fixture
def staff(bot: Instance) -> Iterator[httpx.Client]:
    token = rejoinder(bot, "token").strip()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{bot.url}/v1/bot", headers=headers, timeout=60) as http:
        yield http


def waiting(staff: httpx.Client, chat: Chat) -> dict[str, Any]:
    page = staff.get("/handoffs", params={"conversation_id": chat.conversation_id}).raise_for_status().json()
    (only,) = page["items"]
    return only


def said(chat: Chat, speaker: str) -> list[str]:
    return [message["text"] for message in chat.history() if message["speaker"] == speaker]


def test_a_person_answers_in_the_chat_and_gives_it_back(bot: Instance, chat: Chat, staff: httpx.Client) -> None:
    chat.ask("Do you sell gift cards?")
    assert "person for you" in chat.ask("let me talk to a human please")[-1]["text"]
    handoff = waiting(staff, chat)
    assert (handoff["state"], handoff["trigger"], handoff["channel"]) == ("requested", "asked", "web")
    assert "gift cards" in handoff["summary"]

    chat.say("It is about order R104233")
    claimed = staff.post(f"/handoffs/{handoff['id']}/claim").raise_for_status().json()
    assert (claimed["state"], claimed["claimed_by"]) == ("claimed", "api")
    key = {"Idempotency-Key": "reply-1"}
    for _ in range(2):
        reply = {"text": "I see your order: it leaves today."}
        staff.post(f"/handoffs/{handoff['id']}/replies", json=reply, headers=key).raise_for_status()
    eventually(lambda: said(chat, "agent") == ["I see your order: it leaves today."])
    chat.say("Do you sell gift cards?")
    shown = staff.get(f"/handoffs/{handoff['id']}").raise_for_status().json()
    assert [message["speaker"] for message in shown["messages"]][-4:] == ["bot", "customer", "agent", "customer"]
    assert [turn["status"] for turn in turns(bot, chat)][-2:] == ["person", "person"]

    staff.post(f"/handoffs/{handoff['id']}/return").raise_for_status()
    assert "letterpress" in chat.ask("Do you sell gift cards?")[-1]["text"]
    assert staff.post(f"/handoffs/{handoff['id']}/replies", json={"text": "Too late."}).status_code == 409
    assert "Too late." not in said(chat, "agent")


def test_what_a_person_said_is_in_rasas_tracker(bot: Instance, chat: Chat, staff: httpx.Client) -> None:
    chat.ask("let me talk to a human please")
    handoff = waiting(staff, chat)
    staff.post(f"/handoffs/{handoff['id']}/replies", json={"text": "Your parcel is in Leeds."}).raise_for_status()
    staff.post(f"/handoffs/{handoff['id']}/return").raise_for_status()
    assert "letterpress" in chat.ask("Do you sell gift cards?")[-1]["text"]
    heard = [event.get("text") for event in tracker(bot, chat) if event["event"] == "bot"]
    assert "Your parcel is in Leeds." in heard


def test_the_command_line_lists_answers_and_closes(bot: Instance, chat: Chat, staff: httpx.Client) -> None:
    chat.ask("let me talk to a human please")
    handoff = waiting(staff, chat)
    assert handoff["id"] in rejoinder(bot, "handoffs", "list")
    rejoinder(bot, "handoffs", "claim", handoff["id"])
    rejoinder(bot, "handoffs", "reply", handoff["id"], "Good morning, how can I help?")
    eventually(lambda: said(chat, "agent") == ["Good morning, how can I help?"])
    assert "with_person" in rejoinder(bot, "handoffs", "show", handoff["id"])
    assert rejoinder(bot, "handoffs", "close", handoff["id"], "--resolved").startswith("closed")
    rejoinder(bot, "handoffs", "reply", handoff["id"], "Still there?", code=1)


def test_outside_office_hours_an_address_is_asked_for_and_the_bot_goes_on(
    bot: Instance, chat: Chat, staff: httpx.Client
) -> None:
    rejoinder(bot, "handoffs", "settings", "office_hours={}")
    try:
        assert "Leave your e-mail" in chat.ask("let me talk to a human please")[-1]["text"]
        assert "passed that on" in chat.ask("you can reach me at ada@example.com")[-1]["text"]
        handoff = waiting(staff, chat)
        assert (handoff["state"], handoff["contact"]) == ("nobody_there", "ada@example.com")
        assert "letterpress" in chat.ask("Do you sell gift cards?")[-1]["text"]
    finally:
        rejoinder(bot, "handoffs", "settings", "office_hours=null")


def test_when_app_dies_the_person_keeps_the_word_and_the_reply_arrives(
    bot: Instance, chat: Chat, staff: httpx.Client
) -> None:
    chat.ask("let me talk to a human please")
    handoff = waiting(staff, chat)
    staff.post(f"/handoffs/{handoff['id']}/replies", json={"text": "One moment."}).raise_for_status()
    kill(bot, "uvicorn")
    eventually(lambda: alive(bot), seconds=60)
    assert waiting(staff, chat)["state"] == "with_person"
    chat.say("Do you sell gift cards?")
    staff.post(f"/handoffs/{handoff['id']}/replies", json={"text": "Here I am."}).raise_for_status()
    assert said(chat, "agent") == ["One moment.", "Here I am."]
    assert [turn["status"] for turn in turns(bot, chat)] == ["answered", "person"]


def tracker(bot: Instance, chat: Chat) -> list[dict[str, Any]]:
    from core.secrets import derive_key

    token = derive_key((bot.home / "secret").read_text(), "rasa")
    port = httpx.URL(bot.url).port or 0
    params = {"token": token, "include_events": "ALL"}
    url = f"http://127.0.0.1:{port + 1}/conversations/{chat.conversation_id}/tracker"
    events: list[dict[str, Any]] = httpx.get(url, params=params).raise_for_status().json()["events"]
    return events
