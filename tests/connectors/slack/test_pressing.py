"""Buttons and dialogues."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from core.db.models import Conversation, HumanCorrection
from tests.connectors.slack.desk_world import World, payload


async def test_a_suggestion_is_sent_as_it_stands(world: World) -> None:
    thread = await world.asked()
    (more,) = world.slack.messages(thread)
    (button,) = [block["accessory"] for block in more["blocks"] if "accessory" in block]
    await world.press("suggestion", button["value"])
    assert await world.said() == ["Two to four days."]
    assert await world.state() == "with_person"
    assert "Bob → customer" in world.thread()


@pytest.mark.parametrize(("action", "resolved"), [("resolved", True), ("not_resolved", False)])
async def test_closing_says_whether_it_helped(world: World, action: str, resolved: bool) -> None:
    await world.asked()
    await world.press(action)
    handoff = (await world.handoffs.history("shop", await world.handoff_id())).handoff
    assert (handoff.state, handoff.resolved) == ("closed", resolved)
    with world.database.session() as session:
        assert session.get_one(Conversation, world.conversation).status == "closed"
    assert ("not resolved" in world.thread()) is not resolved


async def test_what_cannot_happen_is_whispered_to_who_pressed(world: World) -> None:
    await world.asked()
    await world.press("give_back")
    await world.press("claim")
    whisper = world.slack.workspace.whispers[-1]
    assert (whisper["user"], "is over" in whisper["text"]) == ("U0BOB0001", True)
    await world.press("claim", "01UNKNOWN")
    assert "no handoff" in world.slack.workspace.whispers[-1]["text"]


async def test_another_tenants_handoff_cannot_be_pressed(world: World) -> None:
    await world.asked()
    other = await world.turns.open("other", "web")
    foreign = await world.handoffs.take_over("other", other, "somebody")
    await world.press("give_back", foreign.id)
    assert (await world.handoffs.history("other", foreign.id)).handoff.state == "claimed"


async def test_a_correction_is_proposed_for_review(world: World) -> None:
    await world.asked()
    await world.press("correct")
    view = world.slack.workspace.views[-1]
    choices = view["blocks"][0]["element"]["options"]
    assert [choice["text"]["text"] for choice in choices] == ["A person comes.", "Hello!"]
    fields = {"message": [choices[1]["value"]], "category": ["wrong_fact"], "reason": ""}
    refused = await world.submit("correction", {**fields, "text": "  "})
    assert refused.json() == {"response_action": "errors", "errors": {"text": "The answer is empty."}}
    taken = await world.submit("correction", {**fields, "text": "It is on its way."})
    assert (taken.status_code, taken.content) == (200, b"")
    with world.database.session() as session:
        (stored,) = session.scalars(select(HumanCorrection)).all()
        assert (stored.answer, stored.bot_answer, stored.author, stored.status) == (
            "It is on its way.", "Hello!", "Bob", "proposed",
        )  # fmt: skip


async def test_an_expired_dialogue_is_told(world: World) -> None:
    await world.asked()
    world.slack.refusals.append(("views.open", 200, {"ok": False, "error": "expired_trigger_id"}, {}))
    await world.press("reply")
    assert "press again" in world.slack.workspace.whispers[-1]["text"]


async def test_the_command_lists_who_waits(world: World) -> None:
    empty = await world.send("slash_commands", payload("slash_command"))
    assert empty.json()["text"] == "Nobody waits for a person."
    await world.asked()
    listed = await world.send("slash_commands", payload("slash_command"))
    assert "1 open" in listed.json()["text"]
    assert "A customer on web" in json.dumps(listed.json())
