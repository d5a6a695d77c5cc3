"""Customers on the web, a bot that answers from a list, and the console's inbox, all in one app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from sqlalchemy import select

from connectors.senders import make_senders
from connectors.web import receipts, routes, widget
from connectors.web.access import WebAccess
from console.api.handoffs import router as handoffs_api
from console.api.inbox import router as inbox_api
from console.auth.gate import Gate
from console.pages import front
from core.bot.parts import Voice
from core.conversations.feedback import Feedback
from core.conversations.inbox import Inbound
from core.conversations.turns import Turns
from core.db import Database
from core.db.models import Customer, Handoff
from core.delivery.deliverer import Deliverer
from core.delivery.receipts import CustomerReceipts
from core.events import Hub
from core.handoffs.service import HandoffService
from knowledge.answers.suggestions import SuggestedReply
from testing.fake_rasa import FakeRasa
from tests.browser.server import WIDE_LIMITS
from tests.console.staff import TEXTS, Staff, open_console, open_inbox
from tests.core.handoffs.test_stepping_back import ASKED, feels, item
from tests.core.test_turns import ended
from tests.knowledge.review.doubles import T

SUGGESTED = SuggestedReply("Most orders arrive within 3 days.", "Delivery times", "https://shop.example/delivery")
SOURCES = [{"title": "Delivery times", "url": "https://shop.example/delivery"}]
ANSWERED = item("It is on its way.", "answered", sources=SOURCES, confidence=0.9)


@dataclass
class InboxWorld:
    """``app`` has the widget's page, the console and both APIs; its deliverer runs while it does."""

    database: Database
    hub: Hub = field(default_factory=Hub)
    rasa: FakeRasa = field(default_factory=FakeRasa)

    def __post_init__(self) -> None:
        self.deliverer = Deliverer(self.database, make_senders(self.database, self.hub))
        wake = self.deliverer.wake
        self.handoffs = HandoffService(self.database, TEXTS, wake)
        self.turns = Turns(self.database, self.rasa, self.hub, TEXTS, 4000, sentiment=feels, wake=wake)  # type: ignore[arg-type]
        self.inbox = open_inbox(self.database, self.handoffs, self.hub, SUGGESTED)
        self.staff: Staff = open_console(self.database, inbox=self.inbox)
        self.app = FastAPI(lifespan=self._running)
        gate, web = Gate(self.database, T, "let me in"), WIDE_LIMITS
        self.app.include_router(handoffs_api(gate, self.handoffs))
        self.app.include_router(inbox_api(gate, self.inbox))
        self.app.include_router(routes.router(self.turns, Feedback(self.database), self.hub, WebAccess(web)))
        self.app.include_router(receipts.router(WebAccess(web), CustomerReceipts(self.database, self.hub)))
        self.app.include_router(widget.router())
        self.app.include_router(front.router(Voice(), demo=True))
        for each in self.staff.app.router.routes:
            self.app.router.routes.append(each)
        self.staff.app = self.app
        self.said = 0

    @asynccontextmanager
    async def _running(self, _: FastAPI) -> AsyncIterator[None]:
        await self.deliverer.start()
        yield
        await self.deliverer.stop()

    async def say(self, text: str, *answer: dict[str, Any], customer: str = "ada", conversation: str = "") -> str:
        """A customer says something on the web; the conversation."""
        conversation = conversation or await self.turns.open(T, "web", customer)
        if answer:
            self.rasa.answers.append(list(answer))
        self.said += 1
        await self.turns.receive(Inbound(conversation, f"said-{self.said}", text))
        await ended(self.turns, conversation)
        return conversation

    async def asked(self, customer: str = "ada", name: str | None = "Ada Lovelace") -> tuple[str, str]:
        """They ask for a person; the conversation and its handoff."""
        conversation = await self.say("Where is my lamp?", *ANSWERED, customer=customer)
        await self.say("A person please", *ASKED, conversation=conversation)
        with self.database.session() as session:
            session.get_one(Customer, customer).name = name
            handoff = session.scalars(select(Handoff).filter_by(conversation_id=conversation)).one()
        return conversation, handoff.id
