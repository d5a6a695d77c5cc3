"""A person answers from Slack: asked for in the web chat of a running instance, with the real SDK against a fake Slack."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from console.chat import Chat
from testing.instance import Instance, instance
from testing.slack import BOT_TOKEN, CHANNEL, SECRET, TEAM, FakeSlack
from testing.waiting import eventually
from tests.connectors.slack.desk_world import payload
from tests.whole.test_bot import rejoinder


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def with_slack(slack: FakeSlack, trained_models: Path) -> Iterator[Instance]:
    env = {"TEAM": TEAM, "CHANNEL": CHANNEL, "BOT_TOKEN": BOT_TOKEN, "SIGNING_SECRET": SECRET, "URL": slack.url}
    with instance({f"REJOINDER_SLACK_{name}": value for name, value in env.items()}, trained_models) as running:
        yield running


def press(slack: FakeSlack, bot: Instance, action: str, value: str) -> None:
    sent = payload("block_actions")
    sent["actions"][0] |= {"action_id": action, "value": value, "action_ts": str(time.time())}
    slack.post(bot.url, "interactive", sent).raise_for_status()


def test_asked_for_in_the_chat_answered_in_slack_given_back(slack: FakeSlack, with_slack: Instance) -> None:
    bot = with_slack
    rejoinder(bot, "handoffs", "settings", 'desks=["console", "slack"]')
    with httpx.Client(base_url=bot.url, timeout=60) as http:
        chat = Chat.open(http)
        chat.ask("Do you sell gift cards?")
        chat.ask("let me talk to a human please")
        (root,) = eventually(slack.messages)
        handoff_id = root["metadata"]["event_payload"]["handoff"]
        (more,) = eventually(lambda: slack.messages(root["ts"]))
        assert "letterpress" in str([block for block in more["blocks"] if "accessory" in block])
        press(slack, bot, "claim", handoff_id)
        sent = payload("message")
        ts = slack.timestamp()
        sent["event"] |= {"thread_ts": root["ts"], "ts": ts}
        for _ in range(2):
            slack.post(bot.url, "events_api", sent).raise_for_status()
        agents = [message["text"] for message in chat.history() if message["speaker"] == "agent"]
        assert agents == ["It leaves today."]
        eventually(lambda: slack.workspace.reactions.get(ts) == {"white_check_mark"})
        chat.say("Thank you, and my order?")
        eventually(lambda: "Thank you, and my order?" in str(slack.messages(root["ts"])))
        press(slack, bot, "give_back", handoff_id)
        assert "letterpress" in chat.ask("Do you sell gift cards?")[-1]["text"]
