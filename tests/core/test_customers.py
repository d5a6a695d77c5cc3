"""One customer, several channels, one record; merged on a verified address only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core import customers
from core.conversations.inbox import Inbound, InboundSender
from core.conversations.turns import Turns
from core.db import Database
from core.db.models import Address, AuditEvent, Conversation, Customer, Message, get_current_time
from core.errors import Conflict, InvalidInput, NotFound
from testing.fake_rasa import FakeRasa
from tests.core.test_turns import ended, running

NUMBER = "+447700900123"
PHONE = InboundSender("shop", "text", NUMBER)


def inbound(number: str, text: str = "Hi") -> Inbound:
    return Inbound(None, number, text, sender=PHONE, raw={"Body": text})


async def test_a_number_has_one_conversation_until_it_ends(database: Database) -> None:
    async with running(database, FakeRasa()) as turns:
        first = await turns.receive(inbound("m1"))
        second = await turns.receive(inbound("m2", "Still me"))
        await ended(turns, first.conversation_id)
        with database.session() as session:
            session.get_one(Conversation, first.conversation_id).status = "closed"
        third = await turns.receive(inbound("m3", "A new day"))
        await ended(turns, third.conversation_id)
    assert first.conversation_id == second.conversation_id != third.conversation_id
    with database.session() as session:
        assert session.scalar(select(func.count(Customer.id))) == 1
        (address,) = session.scalars(select(Address))
        assert address.verified_at and address.last_inbound_at
        conversation = session.get_one(Conversation, third.conversation_id)
        assert (conversation.channel, conversation.address) == ("text", NUMBER)
        assert conversation.customer_id == address.customer_id
        assert session.scalars(select(Message).filter_by(client_id="m1")).one().raw == {"Body": "Hi"}


async def test_a_vendor_that_repeats_itself_after_the_end_says_nothing_new(database: Database) -> None:
    rasa = FakeRasa()
    async with running(database, rasa) as turns:
        first = await turns.receive(inbound("m1"))
        await ended(turns, first.conversation_id)
        with database.session() as session:
            session.get_one(Conversation, first.conversation_id).status = "closed"
        again = await turns.receive(inbound("m1"))
    assert again == type(again)(first.conversation_id, first.message_id, first.turn_id, first.seq, new=False)
    assert rasa.heard == ["Hi"]


async def test_the_same_id_on_another_channel_or_of_another_tenant_is_another_message(sqlite: Database) -> None:
    async with running(sqlite, FakeRasa()) as turns:
        senders = (PHONE, InboundSender("shop", "other", NUMBER), InboundSender("another", "text", NUMBER))
        received = [await turns.receive(Inbound(None, "m1", "Hi", sender=sender)) for sender in senders]
        for each in received:
            await ended(turns, each.conversation_id)
    assert len({each.conversation_id for each in received}) == 3


async def test_attachments_without_words_are_described_and_no_question_to_the_bot(sqlite: Database) -> None:
    rasa = FakeRasa()
    async with running(sqlite, rasa) as turns:
        place = {"kind": "location", "latitude": 51.5, "longitude": -0.12, "name": "Home"}
        photo = {"kind": "image", "name": "lamp.jpg", "content_type": "image/jpeg", "size": 9, "path": "media/x"}
        got = await turns.receive(Inbound(None, "m1", sender=PHONE, attachments=(photo, place)))
        await ended(turns, got.conversation_id)
        (message, answer) = await turns.history(got.conversation_id)
    assert rasa.heard == []
    assert message.text == "[image: lamp.jpg] [location: Home (51.5, -0.12)]"
    assert (answer.text, answer.buttons) == ("Thank you, I have your file. What is it about?", ("Talk to a person",))
    assert message.attachments[0] == {key: value for key, value in photo.items() if key != "path"}


async def begun(turns: Turns, database: Database) -> Conversation:
    conversation_id = await turns.open("shop", "web", "browser-1")
    with database.session() as session:
        return session.get_one(Conversation, conversation_id)


async def test_a_conversation_moves_to_a_confirmed_number_and_back(database: Database) -> None:
    async with running(database, FakeRasa()) as turns:
        conversation = await begun(turns, database)
        await turns.receive(Inbound(conversation.id, "c1", "Hi"))
        await ended(turns, conversation.id)
        with database.session() as session:
            moving = Conversation.lock(session, conversation.id)
            assert moving
            with pytest.raises(Conflict, match="not confirmed"):
                customers.move_conversation(session, moving, "text", NUMBER, "customer")
            customers.verify_address(session, "shop", "text", NUMBER, get_current_time())
            customers.move_conversation(session, moving, "text", NUMBER, "customer")
        went_on = await turns.receive(inbound("m1", "Here now"))
        await ended(turns, conversation.id)
        assert went_on.conversation_id == conversation.id
        assert [message.text for message in await turns.history(conversation.id)] == [
            "Hi", "Hello!", "Here now", "Hello!",
        ]  # fmt: skip
        await turns.receive(Inbound(conversation.id, "c2", "And back"))
        await ended(turns, conversation.id)
    with database.session() as session:
        stored = session.get_one(Conversation, conversation.id)
        assert (stored.channel, stored.address) == ("web", None)
        browser = session.get_one(Customer, "browser-1")
        assert browser.merged_into == stored.customer_id
        assert customers.get_or_create_customer(session, "shop", "browser-1").id == stored.customer_id
        assert session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all().count("moved") == 1


async def test_nothing_moves_to_who_does_not_want_it(sqlite: Database) -> None:
    async with running(sqlite, FakeRasa()) as turns:
        conversation = await begun(turns, sqlite)
        with sqlite.session() as session:
            customers.verify_address(session, "shop", "text", NUMBER, get_current_time())
            customers.set_address_opt_out(session, "shop", "text", NUMBER, get_current_time())
            moving = Conversation.lock(session, conversation.id)
            assert moving
            with pytest.raises(Conflict, match="does not want"):
                customers.move_conversation(session, moving, "text", NUMBER, "customer")
            assert moving.channel == "web"


def test_customers_are_merged_on_a_verified_address_only(database: Database) -> None:
    with database.session() as session:
        one = customers.get_or_create_customer(session, "shop", "one")
        one.name, one.vip = "Ada", True
        other = customers.address_of(session, "shop", "text", NUMBER)
        with pytest.raises(Conflict):
            customers.merge_customers(session, "shop", "one", other.customer_id, "ana")
        with pytest.raises(NotFound):
            customers.merge_customers(session, "another", "one", other.customer_id, "ana")
        customers.verify_address(session, "shop", "text", NUMBER, get_current_time() - timedelta(days=1))
        merged = customers.merge_customers(session, "shop", "one", other.customer_id, "ana")
        assert (merged.name, merged.vip) == ("Ada", True)
        with pytest.raises(InvalidInput):
            customers.merge_customers(session, "shop", "one", other.customer_id, "ana")
