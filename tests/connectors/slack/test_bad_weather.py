"""Slack is away, slow, or set up wrongly: nothing is lost, doubled or out of order."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from core.db.models import Delivery, get_current_time
from tests.connectors.slack.desk_world import World


async def retry(world: World) -> None:
    """Whatever waits is due now."""
    with world.database.session() as session:
        session.execute(update(Delivery).where(Delivery.state == "queued").values(next_at=get_current_time()))
    await world.deliver()


def waits(world: World) -> Delivery:
    with world.database.session() as session:
        query = select(Delivery).filter_by(destination="slack", state="queued").order_by(Delivery.seq)
        return session.scalars(query).all()[0]


async def test_all_of_it_comes_in_order_after_an_hour(world: World) -> None:
    thread = await world.asked()
    world.slack.down = True
    for text in ("one", "two", "three"):
        await world.say(text)
        await world.deliver()
    await retry(world)
    world.slack.down = False
    for _ in range(3):
        await retry(world)
    said = [message["text"] for message in world.slack.messages(thread)][1:]
    assert said == ["Customer: one", "Customer: two", "Customer: three"]


async def test_slack_says_how_long_to_wait(world: World) -> None:
    await world.asked()
    world.slack.limit("chat.postMessage", 30)
    await world.say("one")
    await world.deliver()
    assert waits(world).next_at - get_current_time() > timedelta(seconds=25)
    await retry(world)
    assert world.thread().count("Customer: one") == 1


async def test_a_broken_off_post_is_found_again(world: World) -> None:
    await world.asked()
    world.slack.cut.add("chat.postMessage")
    await world.say("one")
    await world.deliver()
    await retry(world)
    assert world.thread().count("Customer: one") == 1


async def test_a_broken_off_alert_opens_one_thread(world: World) -> None:
    world.slack.cut.add("chat.postMessage")
    try:
        await world.asked()
    finally:
        await retry(world)
    assert len(world.slack.messages()) == 1
    await world.write("hello", thread=world.slack.messages()[0]["ts"])
    assert await world.said() == ["hello"]


@pytest.mark.parametrize(
    ("trouble", "cause"),
    [
        ("deleted", "channel_not_found: the channel was deleted"),
        ("archived", "is_archived"),
        ("revoked", "token_revoked"),
    ],
)
async def test_the_operator_reads_the_cause_and_the_alert_comes_when_it_is_mended(
    world: World, trouble: str, cause: str
) -> None:
    workspace = world.slack.workspace
    if trouble == "deleted":
        channel, workspace.channels = workspace.channels, {}
    world.slack.revoked = trouble == "revoked"
    workspace.archived |= (
        set(channel if trouble == "deleted" else workspace.channels) if trouble != "revoked" else set()
    )
    with capture_logs() as logs, pytest.raises(ValueError, match="not enough values"):
        await world.asked()
    assert any(cause in str(entry.get("error")) for entry in logs), logs
    assert (await world.said("bot"))[-1] == "A person comes."
    if trouble == "deleted":
        workspace.channels = channel
    world.slack.revoked = False
    workspace.archived.clear()
    await retry(world)
    (root,) = world.slack.messages()
    assert "A customer on web" in json.dumps(root["blocks"])


async def test_a_lost_reply_is_marked_with_its_reason(world: World) -> None:
    thread = await world.asked()
    from core.delivery import attempts
    from core.errors import Permanent

    ts = await world.write("hello", thread=thread)
    with world.database.session() as session:
        row = session.scalars(select(Delivery).filter_by(destination="web").order_by(Delivery.seq.desc())).first()
        row.state = "sent"
        attempts.record_delivery_status(
            session,
            "web",
            "failed",
            get_current_time(),
            delivery_id=row.id,
            error=str(Permanent("number is not in use")),
        )
    await world.deliver()
    assert "warning" in world.slack.workspace.reactions[ts]
    assert "did not reach the customer: “hello” number is not in use" in world.thread()


async def test_a_deleted_first_message_does_not_stop_the_thread(world: World) -> None:
    await world.asked()
    world.slack.workspace.channels["C0DESK001"].remove(world.root)
    await world.press("claim")
    assert "Taken by Bob" in world.thread()
