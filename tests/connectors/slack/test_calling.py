"""Nobody answers: a reminder, the on-call order, the end of the wait; and office hours."""

from __future__ import annotations

from datetime import timedelta

from core.db.models import get_current_time
from core.handoffs import escalation
from tests.connectors.slack.desk_world import TEXTS, World


async def later(world: World, minutes: float) -> None:
    with world.database.session() as session:
        escalation.apply_due_events(session, get_current_time() + timedelta(minutes=minutes), TEXTS)
    await world.deliver()


async def test_a_reminder_then_who_is_on_call_then_the_bot_goes_on(world: World) -> None:
    world.set(on_call=["U0EVE0001", "S0TEAM001", "Ms <Smith>"])
    await world.asked()
    await later(world, 4)
    assert "still waits for an answer" in world.thread()
    await later(world, 7)
    assert ":rotating_light: <@U0EVE0001>: nobody has answered" in world.thread()
    await later(world, 13)
    assert "<!subteam^S0TEAM001>:" in world.thread()
    await later(world, 19)
    assert "Ms &lt;Smith&gt;:" in world.thread()
    calls = [message for message in world.slack.messages(world.root["ts"]) if message.get("reply_broadcast")]
    assert len(calls) == 4
    await later(world, 31)
    assert "Nobody answered in time" in world.thread()
    await world.write("Sorry, here I am", thread=world.root["ts"])
    assert (await world.said(), await world.state()) == (["Sorry, here I am"], "with_person")
