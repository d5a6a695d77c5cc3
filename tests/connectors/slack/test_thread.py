"""What staff see in Slack and write there, and what the customer gets of it."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from core.conversations.inbox import Inbound
from knowledge.answers.suggestions import SuggestedReply
from tests.connectors.slack.desk_world import World, payload


async def test_a_thread_says_who_waits_why_and_what_was_said(world: World) -> None:
    thread = await world.asked()
    shown = json.dumps(world.root["blocks"])
    assert "A customer on web" in shown
    assert "asked for a person" in shown
    assert f"https://x/{world.conversation}" in shown
    actions = [
        each["action_id"] for block in world.root["blocks"] for each in block.get("elements", ()) if "value" in each
    ]
    assert actions == ["claim", "reply", "give_back", "resolved", "not_resolved", "correct"]
    (more,) = world.slack.messages(thread)
    text = json.dumps(more["blocks"])
    assert "Where is my parcel? &lt;!channel&gt; &amp; *co*" in text
    assert "Two to four days." in text
    assert "Source: Delivery" in text


async def test_both_read_each_other_until_it_is_given_back(world: World) -> None:
    thread = await world.asked()
    await world.press("claim")
    assert await world.state() == "claimed"
    assert "Taken by Bob" in world.thread()
    await world.say("It is order R104233 <@U0BOB0001>")
    await world.deliver()
    assert "It is order R104233 <@U0BOB0001>" in world.thread()  # as plain text, which Slack does not interpret
    ts = await world.write("It leaves &lt;today&gt;: <https://shop.example/r|track it>", thread=thread)
    assert await world.said() == ["It leaves <today>: track it (https://shop.example/r)"]
    assert world.slack.workspace.reactions[ts] == {"white_check_mark"}
    await world.press("give_back")
    assert await world.state() == "returned"
    assert "Given back" in world.thread()
    assert not any(block["type"] == "actions" for block in world.root["blocks"])
    await world.say("thanks")
    assert (await world.said("bot"))[-1] == "Hello!"
    late = await world.write("too late", thread=thread)
    assert await world.said() == ["It leaves <today>: track it (https://shop.example/r)"]
    assert world.slack.workspace.reactions[late] == {"warning"}
    assert "This handoff is over" in world.thread()


async def test_the_same_event_twice_is_one_reply_and_order_is_kept(world: World) -> None:
    thread = await world.asked()
    ts = world.slack.timestamp()
    for _ in range(2):  # with event ids of their own, as after a reinstallation
        await world.write("once", thread=thread, ts=ts)
    sent = payload("message")
    sent["event"] |= {"text": "twice?", "thread_ts": thread, "ts": world.slack.timestamp()}
    for _ in range(2):
        assert (await world.send("events_api", sent)).status_code == 200
    await asyncio.gather(*(world.write(f"{n}", thread=thread) for n in range(5)))
    assert await world.said() == ["once", "twice?", "0", "1", "2", "3", "4"]


async def test_only_marked_messages_go_out_where_the_tenant_wants_that(world: World) -> None:
    thread = await world.asked()
    world.set(reply_mode="marked")
    await world.write("what a nuisance", thread=thread)
    await world.write("!replying to nobody", thread=thread)
    assert await world.said() == []
    await world.write("/reply Good morning", thread=thread)
    await world.write("!reply: How can I help?", thread=thread)
    assert await world.said() == ["Good morning", "How can I help?"]
    notes = (await world.handoffs.history("shop", await world.handoff_id())).notes
    assert [(note.text, note.by) for note in notes] == [("what a nuisance", "Bob"), ("!replying to nobody", "Bob")]
    await world.press("reply")
    assert world.slack.workspace.views[-1]["callback_id"] == "reply"
    for _ in range(2):  # Slack may send a dialogue again
        response = await world.submit("reply", {"text": "By the button"}, await world.handoff_id())
        assert (response.status_code, response.content) == (200, b"")
    assert (await world.said())[2:] == ["By the button"]
    assert "Bob → customer" in world.thread()


async def test_alerts_only_tells_of_the_request_and_nothing_else(world: World) -> None:
    world.set(alerts_only=True)
    thread = await world.asked()
    await world.say("my card number is secret")
    await world.write("hello?", thread=thread)
    await world.press("suggestion", f"{await world.handoff_id()} Two to four days.")
    assert await world.said() == []
    assert "secret" not in world.thread()
    assert "Answer in the console" in json.dumps(world.root["blocks"])
    assert world.slack.workspace.whispers[-1]["text"] == "Customers are answered in the console."


@pytest.mark.parametrize(("kind", "word"), [("message_changed", "Editing it"), ("message_deleted", "Deleting it")])
async def test_an_edit_does_not_reach_the_customer_and_staff_see_that(world: World, kind: str, word: str) -> None:
    thread = await world.asked()
    ts = await world.write("It leaves today.", thread=thread)
    sent = payload(kind)
    for name in ("message", "previous_message"):
        if name in sent["event"]:
            sent["event"][name] |= {"ts": ts, "thread_ts": thread}
    assert (await world.send("events_api", sent)).status_code == 200
    await world.deliver()
    assert f"{word} does not reach the customer" in world.thread()
    assert await world.said() == ["It leaves today."]


async def test_what_is_no_reply_is_left_alone(world: World) -> None:
    thread = await world.asked()
    before = world.thread()
    await world.write("from another app", thread=thread, bot_id="B0OTHER01")
    await world.write("joined", thread=thread, subtype="channel_join")
    await world.write("in no thread", thread="")
    await world.write("in another thread", thread="1700000000.000001")
    unfurled = payload("message_changed")
    unfurled["event"]["message"]["text"] = unfurled["event"]["previous_message"]["text"]
    await world.send("events_api", unfurled)
    await world.deliver()
    assert await world.said() == []
    assert world.thread() == before


async def test_a_guest_of_another_workspace_cannot_answer(world: World) -> None:
    thread = await world.asked()
    ts = await world.write("hello from a partner", thread=thread, user_team="T0OTHER01")
    assert await world.said() == []
    assert world.slack.workspace.reactions[ts] == {"warning"}


async def test_nobody_waits_for_the_suggestions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looking, stored, seen = threading.Event(), threading.Event(), []

    def slowly(_: World) -> list[SuggestedReply]:
        looking.set()
        seen.append(stored.wait(10))
        return []

    monkeypatch.setattr(World, "suggested", property(slowly), raising=False)
    asked = asyncio.create_task(world.asked())
    await asyncio.to_thread(looking.wait, 10)
    other = await world.turns.open("shop", "web")
    assert (await world.turns.receive(Inbound(other, "m-other", "Hello"))).new
    stored.set()
    await asked
    assert seen == [True]
