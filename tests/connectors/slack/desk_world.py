"""A customer on the web, a desk in a fake Slack, and everything between them for real but Rasa."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from connectors.slack.connections import Connections
from connectors.slack.desk import SlackDesk
from connectors.slack.files import Files
from connectors.slack.service import make_connections, make_slack
from core.bot.texts import Texts
from core.conversations.inbox import Inbound
from core.conversations.turns import Turns
from core.db import Database
from core.delivery.deliverer import Deliverer
from core.delivery.desk import ConsoleDesk, DeskSender, WebSender
from core.events import Hub
from core.handoffs import settings as handoff_settings
from core.handoffs.service import HandoffService
from core.handoffs.staff.queries import HandoffFilter
from core.settings import Settings
from knowledge.answers.suggestions import SuggestedReply
from testing.fake_rasa import FakeRasa
from testing.slack import APP_TOKEN, BOT_TOKEN, CHANNEL, SECRET, TEAM, FakeSlack

PAYLOADS = Path(__file__).parents[2] / "payloads/slack"
TEXTS = Texts(failed="That failed.", waiting="Saved for later.")
HANDOFF = [{"text": "A person comes."}, {"custom": {"rejoinder": {"outcome": "handoff", "understanding": {}}}}]
ASKED = "Where is my parcel? <!channel> & *co*"


def payload(name: str, **changes: Any) -> dict[str, Any]:
    """A recorded example, with an event id of its own."""
    found = json.loads((PAYLOADS / f"{name}.json").read_text()) | changes
    if "event_id" in found and "event_id" not in changes:
        found["event_id"] = f"Ev{next(_numbers)}"
    return found


_numbers = itertools.count(1)


@dataclass
class World:
    slack: FakeSlack
    database: Database
    home: Path
    rasa: FakeRasa = field(default_factory=FakeRasa)
    suggested: list[SuggestedReply] = field(default_factory=lambda: [SuggestedReply("Two to four days.", "Delivery")])

    def __post_init__(self) -> None:
        self.settings = Settings.load(
            home=self.home,
            tenant="shop",
            slack_team=TEAM,
            slack_channel=CHANNEL,
            slack_bot_token=BOT_TOKEN,
            slack_signing_secret=SECRET,
            slack_url=self.slack.url,
        )
        self.connections: Connections = make_connections(self.settings)
        self.desk = SlackDesk(
            self.database,
            self.connections,
            lambda c: f"https://x/{c}",
            lambda *_: self.suggested,
            Files(self.database, self.home),
        )
        hub = Hub()
        senders = {
            "web": WebSender(hub),
            "console": DeskSender(ConsoleDesk(hub), self.database),
            "slack": DeskSender(self.desk, self.database),
        }
        self.deliverer = Deliverer(self.database, senders)
        self.handoffs = HandoffService(self.database, TEXTS)
        self.turns = Turns(self.database, self.rasa, hub, TEXTS, 4000)  # type: ignore[arg-type]
        self.side = make_slack(self.settings, self.database, self.connections, self.handoffs)
        app = FastAPI()
        app.include_router(self.side.routes)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://desk.example")
        self.set(desks=["console", "slack"])

    def set(self, **changes: Any) -> None:
        with self.database.session() as session:
            handoff_settings.update_handoff_settings(session, "shop", changes, "test")

    async def asked(self) -> str:
        """A customer who asked for a person, with the thread in Slack; its timestamp."""
        self.conversation = await self.turns.open("shop", "web")
        await self.say(ASKED)
        self.rasa.answers.append(HANDOFF)
        await self.say("a person please")
        await self.deliver()
        (root,) = self.slack.messages()
        self.root = root
        return str(root["ts"])

    async def say(self, text: str) -> None:
        await self.turns.receive(Inbound(self.conversation, f"m{next(_numbers)}", text))
        while self.turns._tasks:
            await asyncio.gather(*self.turns._tasks)

    async def deliver(self) -> None:
        """All that is due, and the small signs."""
        await self.side.telling.stop()
        await self.deliverer.idle()

    async def send(self, kind: str, sent: dict[str, Any], **signing: Any) -> httpx.Response:
        path, body, headers = self.slack.request(kind, sent, **signing)
        return await self.http.post(path, content=body, headers=headers)

    async def write(self, text: str, *, thread: str, ts: str | None = None, **more: Any) -> str:
        """Bob writes in a thread; the message's timestamp."""
        sent = payload("message")
        ts = ts or self.slack.timestamp()
        sent["event"] |= {"text": text, "thread_ts": thread, "ts": ts, **more}
        response = await self.send("events_api", sent)
        assert response.status_code == 200, response.text
        await self.deliver()
        return ts

    async def press(self, action: str, value: str | None = None, **more: Any) -> None:
        sent = payload("block_actions", **more)
        sent["actions"][0] |= {"action_id": action, "action_ts": str(time.time())}
        sent["actions"][0]["value"] = value or await self.handoff_id()
        response = await self.send("interactive", sent)
        assert response.status_code == 200, response.text
        await self.deliver()

    async def submit(self, kind: str, fields: dict[str, Any], metadata: str = "") -> httpx.Response:
        sent = payload("view_submission")
        values = {
            name: {"value": {"selected_option": {"value": value[0]}} if isinstance(value, list) else {"value": value}}
            for name, value in fields.items()
        }
        sent["view"] |= {"callback_id": kind, "private_metadata": metadata, "state": {"values": values}}
        response = await self.send("interactive", sent)
        await self.deliver()
        return response

    async def handoff_id(self) -> str:
        _, (found,) = await self.handoffs.listed("shop", HandoffFilter(conversation_id=self.conversation))
        return found.id

    async def state(self) -> str:
        return (await self.handoffs.history("shop", await self.handoff_id())).handoff.state

    async def said(self, speaker: str = "agent") -> list[str]:
        """What the customer sees of this speaker."""
        return [m.text for m in await self.turns.history(self.conversation) if m.speaker == speaker]

    def thread(self) -> str:
        """Everything that stands in the thread below its first message."""
        return json.dumps(self.slack.messages(self.root["ts"]), ensure_ascii=False)


__all__ = ["APP_TOKEN", "World", "payload"]
