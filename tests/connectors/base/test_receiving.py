"""A text that means an offered choice is a press on it, also when it comes late; anything else stays a text."""

from __future__ import annotations

import pytest

from connectors.base.inbound import receive_inbound
from core.conversations.inbox import Inbound, InboundSender, Received
from core.conversations.turns import Turns
from core.db import Database
from core.db.models import Conversation, Delivery
from core.events import Hub
from testing.fake_rasa import FakeRasa
from tests.core.test_turns import TEXTS, ended

PHONE = InboundSender("shop", "text", "+447700900123")
OFFER = [
    {
        "text": "Which?",
        "buttons": [{"title": "Track my order", "payload": "/track"}, {"title": "Cancel it", "payload": "/cancel"}],
    }
]
QUESTION = [{"text": "What is your order number?"}]


class Phone:
    """One customer who writes plain texts."""

    def __init__(self, database: Database) -> None:
        self.database, self.rasa, self.number = database, FakeRasa(), 0
        self.turns = Turns(database, self.rasa, Hub(), TEXTS, 4000)  # type: ignore[arg-type]

    async def say(self, text: str, reply_to: str | None = None) -> Received:
        self.number += 1
        inbound = Inbound(None, f"m{self.number}", text, sender=PHONE, reply_to=reply_to)
        received = await receive_inbound(self.turns, inbound)
        await ended(self.turns, received.conversation_id)
        return received


@pytest.mark.parametrize(("text", "heard"), [("2", "/cancel"), ("track my ordr", "/track"), ("no thanks", "no thanks")])
async def test_choices_are_answered_in_plain_text(database: Database, text: str, heard: str) -> None:
    phone = Phone(database)
    phone.rasa.answers.append(OFFER)
    await phone.say("Hi")
    await phone.say(text)
    assert phone.rasa.heard == ["Hi", heard]


async def test_a_number_means_only_what_was_offered_last_and_words_also_what_was_before(sqlite: Database) -> None:
    phone = Phone(sqlite)
    phone.rasa.answers += [OFFER, QUESTION, QUESTION]
    await phone.say("Hi")
    await phone.say("Something else")
    await phone.say("2")
    await phone.say("cancel it")
    assert phone.rasa.heard == ["Hi", "Something else", "2", "/cancel"]


async def test_what_is_quoted_is_what_is_answered(sqlite: Database) -> None:
    phone = Phone(sqlite)
    phone.rasa.answers += [OFFER, QUESTION]
    offered = await phone.say("Hi")
    with sqlite.session() as session:
        conversation = session.get_one(Conversation, offered.conversation_id)
        sent = session.query(Delivery).filter_by(conversation_id=conversation.id, destination="text").one()
        sent.vendor_id = "vendor-7"
    await phone.say("Something else")
    await phone.say("1", reply_to="vendor-7")
    assert phone.rasa.heard == ["Hi", "Something else", "/track"]


async def test_the_same_text_twice_by_the_vendor_is_one_press(sqlite: Database) -> None:
    phone = Phone(sqlite)
    phone.rasa.answers.append(OFFER)
    await phone.say("Hi")
    await phone.say("2")
    phone.number -= 1
    repeated = await phone.say("2")
    assert not repeated.new
    assert phone.rasa.heard == ["Hi", "/cancel"]
