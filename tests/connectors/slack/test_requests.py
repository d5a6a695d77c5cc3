"""Who may speak to our routes."""

from __future__ import annotations

import time

import pytest

from tests.connectors.slack.desk_world import World, payload


async def test_slack_can_verify_the_address(world: World) -> None:
    sent = payload("url_verification")
    response = await world.send("events_api", sent)
    assert response.json() == {"challenge": sent["challenge"]}


@pytest.mark.parametrize("kind", ["events_api", "interactive", "slash_commands"])
@pytest.mark.parametrize(
    "signing",
    [{"secret": "forged"}, {"late": 310}, {"late": -310}],
    ids=["forged", "old", "ahead"],
)
async def test_a_wrong_signature_is_refused(world: World, kind: str, signing: dict) -> None:
    thread = await world.asked()
    sent = payload("message")
    sent["event"]["thread_ts"] = thread
    if "late" in signing:
        signing = {"at": time.time() - signing["late"]}
    assert (await world.send(kind, sent, **signing)).status_code == 401
    assert await world.said() == []


@pytest.mark.parametrize(
    "headers", [{}, {"X-Slack-Signature": "v0=1"}, {"X-Slack-Request-Timestamp": "now", "X-Slack-Signature": "v0=1"}]
)
async def test_a_missing_signature_is_refused(world: World, headers: dict) -> None:
    assert (await world.http.post("/slack/events", content=b"{}", headers=headers)).status_code == 401


async def test_a_body_that_was_changed_is_refused(world: World) -> None:
    path, body, headers = world.slack.request("events_api", payload("message"))
    assert (await world.http.post(path, content=body + b" ", headers=headers)).status_code == 401


@pytest.mark.parametrize("body", [b"", b"[]", b"no json", b'{"type": "event_callback"}'])
async def test_what_is_not_slacks_is_refused(world: World, body: bytes) -> None:
    response = await world.http.post("/slack/events", content=body, headers=world.slack.signed(body.decode()))
    assert response.status_code in {403, 422}


async def test_too_much_is_not_read(world: World) -> None:
    body = "x" * 1_000_001
    response = await world.http.post("/slack/events", content=body, headers=world.slack.signed(body))
    assert response.status_code == 413


async def test_another_workspace_is_refused(world: World) -> None:
    assert (await world.send("events_api", payload("message", team_id="T0OTHER01"))).status_code == 403
