"""When the bot steps back, what the customer reads, and who is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.bot.texts import Texts
from core.conversations.feedback import Feedback
from core.conversations.inbox import Inbound, InboundSender
from core.conversations.turns import Turns
from core.db import Database
from core.db.models import Customer, Delivery, Handoff, HandoffTransition, Turn, get_current_time
from core.errors import InvalidInput
from core.events import Hub, MessageStored
from core.handoffs import escalation, policy, settings
from core.handoffs.scheduler import HandoffWatch
from core.handoffs.service import HandoffService
from core.handoffs.transitions import may_speak
from core.sentiment import Mood
from testing.fake_rasa import FakeRasa
from testing.waiting import soon
from tests.core.test_turns import ended

TEXTS = Texts(failed="That failed.", waiting="Saved for later.")


def item(text: str, outcome: str, **note: Any) -> list[dict[str, Any]]:
    understanding = {"intent": "cancel_order", "confidence": 0.5, "nlu_ms": 1.0}
    note = {"outcome": outcome, "entries": [], "understanding": understanding} | note
    return [{"text": text}, {"custom": {"rejoinder": note}}]


def value(text: str) -> list[dict[str, Any]]:
    """The answer to what a form had asked for."""
    return item(text, "action", understanding={"intent": "inform", "confidence": 0.9, "nlu_ms": 1.0})


def known(text: str) -> list[dict[str, Any]]:
    """A sure answer of the knowledge."""
    return item(text, "answered", entries=[{"id": "e1", "version": 1, "score": 0.9, "external_id": None}])


def feels(text: str) -> Mood:
    return Mood("angry", "high") if "!!" in text else Mood("negative") if "bad" in text else Mood()


class Talk:
    """One customer on the web, and the bot that answers from a list."""

    def __init__(self, database: Database, **chosen: Any) -> None:
        self.database, self.rasa = database, FakeRasa()
        self.turns = Turns(database, self.rasa, Hub(), TEXTS, 4000, sentiment=feels)  # type: ignore[arg-type]
        self.service = HandoffService(database, TEXTS)
        self.number, self.conversation_id = 0, ""
        with database.session() as session:
            settings.update_handoff_settings(session, "shop", chosen, "test")

    async def say(self, text: str, *answer: dict[str, Any]) -> list[str]:
        """What the customer reads then."""
        self.conversation_id = self.conversation_id or await self.turns.open("shop", "web", "ada")
        if answer:
            self.rasa.answers.append(list(answer))
        self.number += 1
        received = await self.turns.receive(Inbound(self.conversation_id, f"c{self.number}", text))
        await ended(self.turns, self.conversation_id)
        return [m.text for m in await self.turns.history(self.conversation_id, received.seq) if m.speaker == "bot"]

    def handoff(self) -> Handoff | None:
        with self.database.session() as session:
            return session.scalar(select(Handoff))

    def deliveries(self) -> list[Delivery]:
        with self.database.session() as session:
            return list(session.scalars(select(Delivery).order_by(Delivery.seq)))


ASKED = item("A person comes.", "handoff")


async def test_asking_for_a_person_silences_the_bot_and_tells_the_desk(database: Database) -> None:
    talk = Talk(database)
    await talk.say("Where is my lamp?", *item("On its way.", "answered", sources=[{"title": "Orders", "url": None}]))
    assert await talk.say("A person please", *ASKED) == ["A person comes."]
    handoff = talk.handoff()
    assert handoff and (handoff.state, handoff.trigger, handoff.from_seq) == ("requested", "asked", 4)
    assert "Where is my lamp?" in handoff.summary and handoff.sources == [{"title": "Orders", "url": None}]
    assert await talk.say("Hello?") == []
    assert talk.rasa.heard == ["Where is my lamp?", "A person please"]
    alert, forwarded = talk.deliveries()
    assert (alert.kind, alert.destination, forwarded.kind, forwarded.destination) == (
        "alert", "console", "message", "console",
    )  # fmt: skip
    with database.session() as session:
        assert not may_speak(session, talk.conversation_id)
        assert session.scalars(select(Turn.status).order_by(Turn.id)).all() == ["answered", "answered", "person"]


@pytest.mark.parametrize(
    ("chosen", "alerted", "forwarded"),
    [
        ({"desks": []}, ["console"], ["console"]),
        ({"desks": ["threads"]}, ["console", "threads"], ["console", "threads"]),
        ({"desks": ["threads"], "alerts_only": True}, ["console", "threads"], ["console"]),
    ],
)
async def test_the_inbox_is_told_always_and_other_desks_as_the_tenant_wants(
    sqlite: Database, chosen, alerted, forwarded
) -> None:
    talk = Talk(sqlite, **chosen)
    await talk.say("A person please", *ASKED)
    await talk.say("Hello?")
    told = [(d.kind, d.destination) for d in talk.deliveries()]
    assert told == [("alert", each) for each in alerted] + [("message", each) for each in forwarded]


@pytest.mark.parametrize(
    ("chosen", "says", "trigger"),
    [
        ({}, [("a", item("?", "unknown")), ("b", item("?", "unknown"))], "unknown"),
        ({}, [("a", item("?", "unknown")), ("b", item("?", "clarified")), ("c", item("?", "unknown"))], "unknown"),
        ({}, [("a", item("?", "unknown")), ("😀?!", item("?", "unknown"))], None),
        ({}, [("a", item("?", "unknown")), ("😀?!", item("?", "unknown")), ("b", item("?", "unknown"))], "unknown"),
        ({"unknown": 1}, [("a", item("?", "unknown"))], "unknown"),
        ({"unknown": 0}, [("a", item("?", "unknown")), ("b", item("?", "unknown"))], None),
        ({}, [("a", item("?", "unknown")), ("b", item("!", "answered")), ("c", item("?", "unknown"))], None),
        ({}, [("what is this!!", item("?", "unknown"))], "sentiment"),
        ({"angry": False, "negative": 0}, [("what is this!!", item("Sorry.", "answered"))], None),
        ({}, [("bad", item("Sorry.", "answered")), ("bad again", item("Sorry.", "answered"))], "sentiment"),
        ({}, [("bad", item("Sorry.", "unknown")), ("bad again", known("Block it here."))], None),
        ({}, [("bad", known("Block it here.")), ("bad again", item("Sorry.", "unknown"))], "sentiment"),
        ({}, [("bad!!", known("Block it here."))], "sentiment"),
        ({}, [("bad", value("Thanks.")), ("bad again", value("Thanks."))], None),
        ({}, [("bad", item("Sorry.", "answered")), ("bad", value("Thanks."))], None),
        (
            {},
            [("bad", item("Oh.", "answered")), ("bad", value("Thanks.")), ("bad", item("Oh.", "answered"))],
            "sentiment",
        ),
        ({}, [("bad!!", value("Thanks."))], "sentiment"),
        ({}, [("bad", item("Sorry.", "answered")), ("fine", item("Ok.", "answered"))], None),
        ({"risky_topics": ["legal action"]}, [("I will take LEGAL  action", [])], "risky_topic"),
        ({"risky_topics": ["sue"]}, [("This issue", item("Ok.", "answered"))], None),
        ({"action_confidence": 0.6}, [("cancel", item("Cancelled.", "action"))], "low_confidence"),
        ({}, [("cancel", item("Cancelled.", "action"))], None),
        ({}, [("x", item("One of our team will contact you.", "answered"))], "promised"),
        ({"promised": False}, [("x", item("One of our team will contact you.", "answered"))], None),
        ({"asked": False}, [("person", ASKED)], None),
    ],
)
async def test_each_trigger_and_its_switch(sqlite: Database, chosen, says, trigger) -> None:
    talk = Talk(sqlite, **chosen)
    for text, answer in says:
        read = await talk.say(text, *answer)
    handoff = talk.handoff()
    assert (handoff.trigger if handoff else None) == trigger
    assert (read[-1] == TEXTS.handoff) == (trigger is not None)


@pytest.mark.parametrize(("understood", "trigger"), [("inform", None), ("greet", None), ("nlu_fallback", "sentiment")])
async def test_what_a_form_of_a_teams_own_bot_has_asked_for_shows_no_feeling(
    sqlite: Database, understood, trigger
) -> None:
    talk = Talk(sqlite)
    talk.rasa.understood = understood
    for text in ("a bad lock", "a bad door"):
        await talk.say(text, {"text": "Thanks, and which room?"})
    handoff = talk.handoff()
    assert (handoff.trigger if handoff else None) == trigger


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("answered", ["Two days."]),
        ("suggested", ["Two days."]),
        ("clarified", []),
        ("unknown", []),
        ("action", ["Two days."]),
    ],
)
async def test_somebody_angry_gets_a_person_and_what_helps(sqlite: Database, outcome: str, said: list[str]) -> None:
    talk = Talk(sqlite)
    assert await talk.say("how long does it take!!", *item("Two days.", outcome)) == [*said, TEXTS.handoff]
    handoff = talk.handoff()
    assert handoff and (handoff.state, handoff.trigger, handoff.urgency) == ("requested", "sentiment", "high")
    with sqlite.session() as session:
        assert session.scalars(select(Turn.outcome)).one() == (outcome if said else "handoff")


async def test_somebody_who_gets_a_person_is_given_nothing_to_press(sqlite: Database) -> None:
    talk = Talk(sqlite)
    offer = {"text": f"Two days.\n\n{TEXTS.not_meant}", "buttons": [{"title": "Refunds", "payload": "/ask_refund"}]}
    assert await talk.say("how long does it take!!", offer, item("", "suggested")[1]) == ["Two days.", TEXTS.handoff]
    assert [m.buttons for m in await talk.turns.history(talk.conversation_id) if m.speaker == "bot"] == [(), ()]


async def test_somebody_angry_whom_nobody_can_take_over_is_asked_back(sqlite: Database) -> None:
    talk = Talk(sqlite, office_hours={})
    assert await talk.say("how long does it take!!", *item("Is it this?", "clarified")) == [
        "Is it this?",
        TEXTS.handoff_nobody,
    ]


async def test_somebody_angry_gets_a_person_where_the_bot_fails(sqlite: Database) -> None:
    talk = Talk(sqlite)
    talk.rasa.answers.append([])
    assert await talk.say("how long does it take!!") == [TEXTS.failed, TEXTS.handoff]
    handoff = talk.handoff()
    assert handoff and handoff.trigger == "sentiment"


@pytest.mark.parametrize("vip", [True, False])
async def test_a_vip_gets_a_person(sqlite: Database, vip: bool) -> None:
    talk = Talk(sqlite)
    with sqlite.session() as session:
        session.add(Customer(id="ada", tenant_id="shop", vip=vip))
    await talk.say("Hi")
    assert (talk.handoff() is not None) == vip


async def test_two_answers_that_did_not_help_are_enough(database: Database) -> None:
    talk = Talk(database)
    feedback = Feedback(database, talk.service.consider_thumbs)
    for number in range(2):
        await talk.say(f"question {number}", *item("Two days.", "answered"))
        answer = (await talk.turns.history(talk.conversation_id))[-1]
        assert talk.handoff() is None
        await feedback.rate(talk.conversation_id, answer.id, helpful=False, comment=None)
    handoff = talk.handoff()
    assert handoff and handoff.trigger == "not_helpful"
    assert (await talk.turns.history(talk.conversation_id))[-1].text == TEXTS.handoff


@pytest.mark.parametrize(
    ("words", "promises"),
    [
        ("Someone will get back to you soon.", True),
        ("A member of our team will call you tomorrow.", True),
        ("I'll pass you on to a colleague.", True),
        ("I am transferring you to our support team.", True),
        ("Our team will be in touch.", True),
        ("Our team designed this lamp.", False),
        ("You will get an e-mail when it leaves.", False),
        ("Pass the form to a colleague of yours.", False),
    ],
)
def test_promises_are_recognised(words: str, promises: bool) -> None:
    assert bool(policy._PROMISES.search(words)) == promises


async def test_outside_office_hours_the_bot_goes_on_and_an_address_is_kept(database: Database) -> None:
    talk = Talk(database, office_hours={})
    assert await talk.say("x!!", *item("On its way.", "answered")) == ["On its way.", TEXTS.handoff_nobody]
    assert await talk.say("my mail is ada@example.com.") == [TEXTS.handoff_contact]
    assert await talk.say("And my order?", *item("On its way.", "answered")) == ["On its way."]
    assert await talk.say("bob@example.com", *item("I see.", "answered")) == ["I see."]
    handoff = talk.handoff()
    assert handoff and (handoff.state, handoff.contact) == ("nobody_there", "ada@example.com")
    assert [(d.kind, d.cause) for d in talk.deliveries()] == [
        ("alert", "request"), ("update", "unattended"), ("update", "leave_contact"), ("message", ""),
    ]  # fmt: skip
    await talk.service.claim("shop", handoff.id, "ana")
    assert await talk.say("Hello?") == []


async def test_an_address_is_kept_in_whatever_words_it_was_asked_for(sqlite: Database) -> None:
    talk = Talk(sqlite, office_hours={})
    words = "Nobody is in. Where can we write to you?"
    assert await talk.say("a person please", *item(words, "handoff")) == [words]
    assert await talk.say("ada@example.com") == [TEXTS.handoff_contact]


async def test_staff_step_in_while_the_bot_is_answering(database: Database) -> None:
    talk = Talk(database)
    await talk.say("Hi")
    asked = await talk.turns.receive(Inbound(talk.conversation_id, "slow", "How long?"))
    await talk.service.take_over("shop", talk.conversation_id, "ana")
    await ended(talk.turns, talk.conversation_id)
    history = await talk.turns.history(talk.conversation_id, asked.seq)
    with database.session() as session:
        status = session.get_one(Turn, asked.turn_id).status
    assert (status, [m.speaker for m in history]) in [("person", []), ("answered", ["bot"])]
    assert talk.handoff() is not None and await talk.say("Hello?") == []


async def test_the_bot_hears_what_was_said_before_it_goes_on(database: Database) -> None:
    talk = Talk(database)
    await talk.say("A person please", *ASKED)
    await talk.say("My number is R104233")
    handoff = talk.handoff()
    assert handoff
    await talk.service.reply("shop", handoff.id, "It is in Leeds.", "ana", desk="console")
    await talk.service.give_back("shop", handoff.id, "ana")
    assert (await talk.turns.history(talk.conversation_id))[-1].text == TEXTS.handoff_returned
    assert await talk.say("Thanks") == ["Hello!"]
    await talk.say("Bye")
    assert talk.rasa.recorded == [("customer", "My number is R104233"), ("agent", "It is in Leeds.")]


async def test_the_bots_answers_and_a_persons_reach_a_phone(database: Database) -> None:
    talk = Talk(database)
    sender = InboundSender("shop", "text", "+447700900123")
    received = await talk.turns.receive(Inbound(None, "m1", "Hi", sender=sender))
    await soon(lambda: received.conversation_id not in talk.turns._queues)
    view = await talk.service.take_over("shop", received.conversation_id, "ana")
    for _ in range(2):
        await talk.service.reply("shop", view.id, "Ana here.", "ana", desk="console", event_id="e1")
    out = [d for d in talk.deliveries() if d.destination == "text"]
    assert [(d.address, d.kind) for d in out] == [("+447700900123", "message")] * 2


async def test_an_end_by_the_customer_is_told_to_the_desk(database: Database) -> None:
    talk = Talk(database)
    await talk.say("A person please", *ASKED)
    await Feedback(database).end(talk.conversation_id)
    handoff = talk.handoff()
    assert handoff and handoff.state == "customer_left"
    assert talk.deliveries()[-1].cause == "leave"
    assert await talk.say("Back again") == ["Hello!"]


def events_after(database: Database, *minutes: float, **chosen: Any) -> list[tuple[str, str]]:
    """What the clock makes of a request that nobody takes."""
    with database.session() as session:
        settings.update_handoff_settings(session, "shop", chosen, "test")
        start = session.scalars(select(Handoff.requested_at)).one()
    for each in minutes:
        with database.session() as session:
            escalation.apply_due_events(session, start + timedelta(minutes=each), TEXTS)
    with database.session() as session:
        rows = session.scalars(select(HandoffTransition).order_by(HandoffTransition.seq))
        return [(row.event, row.to_state) for row in rows]


async def test_who_waits_is_remembered_called_for_and_told_in_the_end(database: Database) -> None:
    talk = Talk(database, manager_phone="+447700900999")
    await talk.say("This is a scandal!!")
    happened = events_after(database, 1, 3.5, 4, 6.5, 7, 12.5, 13, 18.5, 31, 60, on_call=["ana", "ben"])
    assert happened == [
        ("request", "requested"),
        ("remind", "requested"),
        ("escalate", "requested"),
        ("escalate", "requested"),
        ("time_out", "timed_out"),
    ]
    assert (await talk.turns.history(talk.conversation_id))[-1].text == TEXTS.handoff_timed_out
    assert await talk.say("Well?") == ["Hello!"]
    sms = [(d.address, d.kind) for d in talk.deliveries() if d.destination == "sms"]
    assert sms == [("+447700900999", "alert")] * 2


@pytest.mark.parametrize("model", ["Ada wants to know where her lamp is.", None])
async def test_a_models_summary_replaces_the_extract(database: Database, model: str | None) -> None:
    talk = Talk(database)
    asked: list[int] = []

    async def summarise(_tenant: str, _conversation: str, said: Sequence[MessageStored]) -> str | None:
        asked.append(len(said))
        return model

    watch = HandoffWatch(database, TEXTS, lambda: None, summarise=summarise)
    await talk.say("Where is my lamp?")
    await talk.say("A person please", *ASKED)
    assert [await watch.summarise() for _ in range(2)] == [int(model is not None), 0]
    assert asked == [4]
    handoff = talk.handoff()
    assert handoff and handoff.state == "requested"
    assert handoff.summary == model if model else "Where is my lamp?" in handoff.summary
    assert [d.cause for d in talk.deliveries()] == (["request", "summarise"] if model else ["request"])


async def test_who_is_answered_is_left_in_peace(database: Database) -> None:
    talk = Talk(database)
    await talk.say("A person please", *ASKED)
    handoff = talk.handoff()
    assert handoff
    await talk.service.reply("shop", handoff.id, "Hello", "ana", desk="console")
    assert [event for event, _ in events_after(database, 4, 7, 40)] == ["request", "reply"]


def test_office_hours_are_of_the_tenants_own_zone() -> None:
    shop = settings.Handoffs(timezone="Asia/Karachi", office_hours={"mon": ["09:00-12:30", "13:30-24:00"]})
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    open_at = [hour for hour in range(24) if shop.attended(monday + timedelta(hours=hour))]
    assert open_at == [4, 5, 6, 7, *range(9, 19)]
    assert settings.Handoffs().attended(get_current_time())


@pytest.mark.parametrize(
    "wrong",
    [
        {"office_hours": {"mon": ["17:00-09:00"]}},
        {"office_hours": {"mon": ["9-17"]}},
        {"office_hours": {"someday": []}},
        {"timezone": "Mars/Olympus"},
        {"remind_minutes": 0},
        {"desks": ["a", "b", "c", "d", "e", "f"]},
        {"reply_mode": "some"},
        {"no_such": 1},
    ],
)
def test_wrong_settings_are_refused_and_nothing_is_changed(sqlite: Database, wrong: dict[str, Any]) -> None:
    with sqlite.session() as session:
        before = settings.get_handoff_settings(session, "shop")
        with pytest.raises(InvalidInput, match=next(iter(wrong))):
            settings.update_handoff_settings(session, "shop", {"unknown": 5, **wrong}, "test")
        assert settings.get_handoff_settings(session, "shop") == before
