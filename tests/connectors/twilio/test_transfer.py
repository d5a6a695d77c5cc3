"""A conversation goes on on WhatsApp, only with consent and the code that came to that number."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from connectors.http.config import WebConfig
from connectors.twilio.client import Twilio
from connectors.twilio.profile import TwilioConfig
from connectors.twilio.templates import CODE, UPDATE, Contents
from connectors.twilio.texts import ChannelTexts
from connectors.twilio.transfer import Transfer
from connectors.twilio.whatsapp import WHATSAPP
from connectors.web import routes, transfer
from connectors.web.access import WebAccess
from core.conversations.feedback import Feedback
from core.db.models import Address, Conversation, Customer, Message
from testing.twilio import ACCOUNT, TOKEN
from testing.twilio_rig import CUSTOMER, DOMAIN, PUBLIC, SHOP, TENANT, Rig, answer

PATH = "/api/chat/transfer-to-whatsapp"


@pytest.fixture
async def visitor(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    """A browser with a conversation, and the route."""
    config = WebConfig(tenant=TENANT, secret="a secret")
    twilio = Twilio(TwilioConfig(TENANT, ACCOUNT, TOKEN, {"whatsapp": SHOP}, rig.home, "s", api_url=rig.twilio.url))
    contents = Contents(twilio)
    for name in (CODE, UPDATE):
        await contents.create(name)
        rig.twilio.approve(name)
    moves = Transfer(WHATSAPP, twilio, contents, rig.database, ChannelTexts.load(DOMAIN), rig.deliverer.wake)
    app = FastAPI()
    app.include_router(transfer.router(WebAccess(config), moves))
    app.include_router(routes.router(rig.turns, Feedback(rig.database), rig.turns.hub, WebAccess(config)))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url=PUBLIC, headers={"Origin": PUBLIC}
    ) as http:
        token = (await http.post("/api/chat/sessions", json={})).json()["token"]
        http.headers["Authorization"] = f"Bearer {token}"
        await http.post("/api/chat/messages", json={"client_id": "c1", "text": "Hello from the web"})
        await rig.settle()
        yield http


async def ask(visitor: httpx.AsyncClient, **body: object) -> httpx.Response:
    return await visitor.post(PATH, json={"number": CUSTOMER, "consent": True, **body})


async def test_the_conversation_goes_on_there_with_its_history(rig: Rig, visitor: httpx.AsyncClient) -> None:
    assert (await ask(visitor)).status_code == 202
    code = rig.twilio.messages[0].variables["1"]
    assert (await ask(visitor, code=code)).json() == {"moved": True}
    await rig.settle()
    assert "Here we are" in rig.said()[-1]

    await rig.ask("And now from my phone", answer("Good to see you here."))

    assert rig.said()[-1] == "Good to see you here."
    (conversation,) = rig.rows(Conversation)
    said = [m.text for m in rig.rows(Message) if m.speaker == "customer"]
    assert said == ["Hello from the web", "And now from my phone"]
    (address,) = rig.rows(Address)
    assert conversation.customer_id == address.customer_id
    assert sum(customer.merged_into is None for customer in rig.rows(Customer)) == 1


async def test_an_earlier_conversation_there_ends_and_its_customer_is_the_same_now(
    rig: Rig, visitor: httpx.AsyncClient
) -> None:
    await rig.write("I wrote here before")
    await ask(visitor)
    await ask(visitor, code=rig.twilio.messages[-1].variables["1"])
    await rig.write("Which one is this?")

    web, phone = rig.rows(Conversation)
    assert (web.status, phone.status) == ("open", "closed")
    assert web.customer_id == phone.customer_id


@pytest.mark.parametrize("body", [{"number": "12345"}, {"number": "nobody"}, {"consent": False}, {"consent": None}])
async def test_without_consent_or_a_number_nothing_is_sent(
    rig: Rig, visitor: httpx.AsyncClient, body: dict[str, object]
) -> None:
    assert (await ask(visitor, **body)).status_code == 422
    assert rig.twilio.messages == []


async def test_a_code_can_not_be_guessed_nor_used_for_another_number(rig: Rig, visitor: httpx.AsyncClient) -> None:
    await ask(visitor)
    code = rig.twilio.messages[0].variables["1"]
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"

    assert (await ask(visitor, code=code, number="+447700900124")).status_code == 422
    assert [(await ask(visitor, code=wrong)).status_code for _ in range(6)] == [422] * 4 + [429] * 2
    assert (await ask(visitor, code=code)).status_code == 429
    assert rig.rows(Conversation)[0].channel == "web"


async def test_codes_are_not_sent_for_ever_nor_to_who_opted_out(rig: Rig, visitor: httpx.AsyncClient) -> None:
    assert [(await ask(visitor)).status_code for _ in range(4)] == [202, 202, 202, 429]

    await rig.post(rig.event("stop"))
    assert (await ask(visitor)).status_code == 409


async def test_who_has_no_session_gets_nowhere(visitor: httpx.AsyncClient) -> None:
    del visitor.headers["Authorization"]
    assert (await ask(visitor)).status_code == 401
