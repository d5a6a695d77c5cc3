"""A customer's phone, Twilio at the wire, and the real channel, outbox and feedback between them and a bot that is told what to say."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from connectors.twilio.profile import TwilioConfig
from connectors.twilio.service import make_twilio, make_twilio_senders
from connectors.twilio.voice import Transcribes
from core.bot.parts import BotParts
from core.bot.texts import Texts
from core.conversations.feedback import Feedback
from core.conversations.turns import Turns
from core.db import Database
from core.db.models import Base, Delivery, InteractionFeedback, Message, get_current_time
from core.delivery.deliverer import Deliverer
from core.events import Hub
from testing.fake_rasa import FakeRasa
from testing.twilio import ACCOUNT, TOKEN, FakeTwilio, signature
from testing.waiting import soon

DOMAIN = BotParts()
EVENTS: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[1] / "tests/payloads/twilio/events.json").read_text()
)
PUBLIC = "https://chat.shop.example"
SHOP, CUSTOMER, SHOP_SMS = "+14155238886", "+447700900123", "+14155550100"
TENANT = "shop"


def answer(text: str, *buttons: str, outcome: str = "answered") -> list[dict[str, Any]]:
    """What Rasa gives back."""
    shown = [{"title": title, "payload": f"/choose{n}"} for n, title in enumerate(buttons)]
    note = {"outcome": outcome, "understanding": {"intent": "ask_knowledge", "confidence": 0.9}}
    return [{"text": text, "buttons": shown}, {"custom": {"rejoinder": note}}]


@dataclass
class Rig:
    """All of it."""

    database: Database
    twilio: FakeTwilio
    home: Path
    per_minute: int = 1000
    rasa: FakeRasa = field(default_factory=FakeRasa)
    transcriber: Transcribes | None = None
    late: timedelta = timedelta()
    """How much later than now the outbox believes it to be."""
    _sids: Any = field(default_factory=lambda: itertools.count(1))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Rig]:
        """Serve."""
        numbers = {"whatsapp": SHOP, "sms": SHOP_SMS}
        config = TwilioConfig(
            TENANT, ACCOUNT, TOKEN, numbers, self.home, "secret", PUBLIC, self.twilio.url, self.per_minute
        )
        senders = make_twilio_senders(config, self.database, DOMAIN)
        self.deliverer = Deliverer(self.database, senders, self.clock)
        self.turns = Turns(self.database, self.rasa, Hub(), Texts.load(DOMAIN), 4000)  # type: ignore[arg-type]
        app, feedback = FastAPI(), Feedback(self.database)
        wake, voice = self.deliverer.wake, self.transcriber
        self.side = make_twilio(config, self.database, DOMAIN, self.turns, feedback, wake, self.rasa.ready, voice)
        app.include_router(self.side.routes)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as self.http:
            yield self
        await self.turns.stop()

    def clock(self) -> datetime:
        return get_current_time() + self.late

    def event(self, name: str, **changes: str) -> dict[str, str]:
        """A recorded kind of event, with an id of its own."""
        who = {"From": f"whatsapp:{CUSTOMER}", "To": f"whatsapp:{SHOP}", "AccountSid": ACCOUNT}
        return {"MessageSid": f"SM{next(self._sids):032d}", **who, **EVENTS[name], **changes}

    async def post(self, fields: dict[str, str], path: str = "/channels/twilio/messages", **headers: str) -> int:
        """What Twilio posts, signed; the status of our answer."""
        self.twilio.outside_window.discard(fields.get("From", ""))
        signed = {"X-Twilio-Signature": signature(PUBLIC + path, fields)}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        response = await self.http.post(path, content=urlencode(fields), headers={**form, **signed, **headers})
        return response.status_code

    async def write(self, text: str, **changes: str) -> dict[str, str]:
        """The customer writes; wait until it is answered, and delivered."""
        fields = self.event("text", Body=text, **changes)
        assert await self.post(fields) == 200
        await self.settle()
        return fields

    async def look(self, ago: timedelta = timedelta()) -> bool:
        """What `app` does after its start and every ten minutes, so long ago; whether it will do so soon again."""
        assert self.side.backfill is not None
        self.side.backfill._clock = lambda: get_current_time() - ago
        soon = await self.side.backfill.look()
        await self.settle()
        return soon

    def unheard(self, text: str, ago: timedelta, *files: tuple[bytes, str], **changes: str) -> dict[str, str]:
        """The customer wrote so long ago, and Twilio could not tell us; the form that it would have posted."""
        fields = self.event("text", Body=text, **changes)
        self.twilio.write(
            fields["From"], fields["To"], text, get_current_time() - ago, *files, sid=fields["MessageSid"]
        )
        return fields

    async def settle(self) -> None:
        """Until everything that was said is answered, and everything due was tried."""
        await soon(lambda: not self.turns._queues)
        await self.deliverer.idle()

    async def ask(self, question: str, said: list[dict[str, Any]], **changes: str) -> None:
        """A question, and what the bot says to it."""
        self.rasa.answers.append(said)
        await self.write(question, **changes)

    async def status(self, state: str, delivery: Delivery, **more: str) -> int:
        """Twilio tells what became of a delivery."""
        path = f"/channels/twilio/status/{delivery.destination}/{delivery.id}"
        fields = {"MessageSid": delivery.vendor_id or "SM0", "MessageStatus": state, "AccountSid": ACCOUNT, **more}
        return await self.post(fields, path)

    def read_long_ago(self) -> None:
        """Everything that was sent was sent some minutes ago."""
        with self.database.session() as session:
            for row in session.scalars(select(Delivery).where(Delivery.sent_at.is_not(None))):
                row.sent_at = (row.sent_at or get_current_time()) - timedelta(minutes=5)

    def rows(self, table: type[Base]) -> list[Any]:
        """All of a table, oldest first."""
        with self.database.session() as session:
            return list(session.scalars(select(table).order_by(table.id)))

    def ratings(self) -> dict[str, bool | None]:
        """Text of the answer -> thumb."""
        with self.database.session() as session:
            query = select(Message.text, InteractionFeedback.helpful)
            query = query.join(InteractionFeedback, InteractionFeedback.message_id == Message.id)
            return dict(session.execute(query).all())

    def said(self) -> list[str]:
        """What the customer got."""
        return self.twilio.said(CUSTOMER)
