"""What is due goes out: in order, again after a failure, after a crash, and never for ever."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from core import outbox
from core.db import Database
from core.db.models import Conversation, Delivery, Message, get_current_time
from core.delivery import attempts
from core.delivery.deliverer import Deliverer
from core.delivery.payload import Outgoing, Sent
from core.errors import InvalidInput, Permanent, Retry, Unknown
from testing.waiting import soon


class Vendor:
    """Fails as it is told, then takes everything."""

    def __init__(self) -> None:
        self.failures: deque[Exception | Sent] = deque()
        self.tried: list[Outgoing] = []
        self.waits: asyncio.Event | None = None

    @property
    def texts(self) -> list[str]:
        return [outgoing.text for outgoing in self.tried]

    async def send(self, outgoing: Outgoing) -> Sent:
        self.tried.append(outgoing)
        if self.waits:
            await self.waits.wait()
        if self.failures:
            failure = self.failures.popleft()
            if isinstance(failure, Exception):
                raise failure
            return failure
        return Sent(f"v{len(self.tried)}")


class Clock:
    def __init__(self) -> None:
        self.at = get_current_time() + timedelta(seconds=30)  # what is written meanwhile is due

    def __call__(self) -> datetime:
        return self.at

    def go(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
async def deliverer(database: Database, vendor: Vendor, clock: Clock) -> AsyncIterator[Deliverer]:
    deliverer = Deliverer(database, {"text": vendor}, clock)
    yield deliverer
    await deliverer.stop()


def say(database: Database, *texts: str, conversation_id: str | None = None, channel: str = "text") -> str:
    """Messages of the bot, due for a phone."""
    with database.session() as session:
        if conversation_id is None:
            conversation = Conversation(tenant_id="shop", channel=channel, address="+447700900123")
            session.add(conversation)
            session.flush()
        else:
            conversation = session.get_one(Conversation, conversation_id)
        for text in texts:
            message = Message(tenant_id="shop", conversation_id=conversation.id, seq=conversation.next_seq())
            message.speaker, message.text = "bot", text
            session.add(message)
            session.flush()
            outbox.to_customer(session, conversation, message)
            outbox.to_customer(session, conversation, message)
        return conversation.id


def rows(database: Database) -> list[Delivery]:
    with database.session() as session:
        return list(session.query(Delivery).order_by(Delivery.seq))


async def test_messages_go_out_in_order_and_once(database, deliverer, vendor) -> None:
    say(database, "one", "two", "three")
    await deliverer.idle()
    await deliverer.idle()
    assert vendor.texts == ["one", "two", "three"]
    assert [(row.state, row.vendor_id) for row in rows(database)] == [("sent", "v1"), ("sent", "v2"), ("sent", "v3")]


async def test_a_vendor_that_is_busy_gets_all_of_it_later_in_order(database, deliverer, vendor, clock) -> None:
    vendor.failures += [Retry("busy", after=30), Retry("busy")]
    say(database, "one", "two")
    await deliverer.idle()
    clock.go(seconds=29)
    await deliverer.idle()
    assert vendor.texts == ["one"]
    clock.go(seconds=2)
    await deliverer.idle()
    clock.go(seconds=5)
    await deliverer.idle()
    assert vendor.texts == ["one", "one", "one", "two"]
    assert [(row.state, row.error, row.possible_duplicate) for row in rows(database)] == [("sent", None, False)] * 2


async def test_one_conversation_that_waits_does_not_hold_up_another(database, deliverer, vendor) -> None:
    vendor.failures.append(Retry("busy", after=60))
    say(database, "stuck", "behind it")
    say(database, "free")
    await deliverer.idle()
    assert sorted(vendor.texts) == ["free", "stuck"]


async def test_what_is_refused_for_good_is_failed_and_the_next_goes_out(database, deliverer, vendor) -> None:
    vendor.failures.append(Permanent("no such number"))
    say(database, "one", "two")
    await deliverer.idle()
    first, second = rows(database)
    assert (first.state, first.error, second.state) == ("failed", "Permanent: no such number", "sent")


async def test_what_is_refused_for_a_day_is_given_up(database, deliverer, vendor, clock) -> None:
    vendor.failures += [Retry("down")] * 400
    say(database, "one", "two")
    for _ in range(400):
        await deliverer.idle()
        clock.go(minutes=6.5)
    first, second = rows(database)
    assert (first.state, first.error, second.state) == ("dead", "Retry: down", "dead")
    assert 200 < first.attempts < 300


@pytest.mark.parametrize("failure", [Unknown("broke off"), ValueError("a bug")])
async def test_what_may_have_got_through_is_sent_again_and_marked(database, deliverer, vendor, clock, failure) -> None:
    vendor.failures.append(failure)
    say(database, "one")
    await deliverer.idle()
    clock.go(seconds=3)
    await deliverer.idle()
    assert [outgoing.maybe_sent for outgoing in vendor.tried] == [False, True]
    assert len({outgoing.id for outgoing in vendor.tried}) == 1
    assert [(row.state, row.possible_duplicate) for row in rows(database)] == [("sent", True)]


async def test_a_sender_that_can_look_it_up_takes_the_mark_away(database, deliverer, vendor, clock) -> None:
    vendor.failures += [Unknown("broke off"), Sent("v1", once=True)]
    say(database, "one")
    await deliverer.idle()
    clock.go(seconds=3)
    await deliverer.idle()
    assert [(row.state, row.possible_duplicate) for row in rows(database)] == [("sent", False)]


async def test_parts_that_were_taken_are_not_sent_again(database, deliverer, vendor, clock) -> None:
    vendor.failures += [Sent("p1", more=True), Retry("busy"), Sent("p2")]
    say(database, "a long one", "next")
    await deliverer.idle()
    clock.go(seconds=3)
    await deliverer.idle()
    assert [(outgoing.text, outgoing.part) for outgoing in vendor.tried] == [
        ("a long one", 0), ("a long one", 1), ("a long one", 1), ("next", 0),
    ]  # fmt: skip
    assert [row.vendor_id for row in rows(database)] == ["p2", "v4"]


async def test_what_a_killed_process_was_sending_is_sent_by_the_next(database, vendor, clock) -> None:
    say(database, "one", "two")
    vendor.waits = asyncio.Event()
    killed = Deliverer(database, {"text": vendor}, clock)
    await killed.deliver_due()
    await soon(lambda: vendor.tried)
    for task in killed._sending:
        task.cancel()
    assert rows(database)[0].state == "sending"
    vendor.waits = None
    following = Deliverer(database, {"text": vendor}, clock)
    await following.start()
    await soon(lambda: len(vendor.tried) == 3)
    await following.stop()
    assert vendor.texts == ["one", "one", "two"]
    assert [(row.state, row.possible_duplicate) for row in rows(database)] == [("sent", True), ("sent", False)]


async def test_a_database_that_fails_for_a_moment_holds_nothing_up(
    sqlite, vendor, clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.delivery.deliverer.POLL_SECONDS", 0.01)
    deliverer, taken, failures = Deliverer(sqlite, {"text": vendor}, clock), attempts.record_sent_attempt, [1, 2]

    def failing(*values: object, **named: object) -> None:
        if failures:
            failures.pop()
            raise OSError("the disk is full")
        taken(*values, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(attempts, "record_sent_attempt", failing)
    say(sqlite, "one", "two")
    await deliverer.idle()
    assert vendor.texts == ["one", "two"]
    assert [row.state for row in rows(sqlite)] == ["sent", "sent"]


async def test_a_destination_that_is_not_set_up_waits(database, deliverer, clock) -> None:
    say(database, "one", channel="pigeon")
    await deliverer.idle()
    (row,) = rows(database)
    assert row.state == "queued" and "pigeon is not set up" in (row.error or "")


async def test_it_wakes_at_once_and_comes_to_an_end(sqlite, vendor, clock) -> None:
    deliverer = Deliverer(sqlite, {"text": vendor}, clock)
    await deliverer.start()
    say(sqlite, "one")
    deliverer.wake()
    await soon(lambda: vendor.texts == ["one"], seconds=0.9)
    deliverer.wake()
    await asyncio.wait_for(deliverer.stop(), 5)


@pytest.mark.parametrize(
    ("reported", "state"),
    [
        (["delivered", "read"], "read"),
        (["read", "delivered", "sent"], "read"),
        (["delivered", "delivered"], "delivered"),
        (["failed"], "failed"),
        (["delivered", "failed"], "delivered"),
        (["failed", "sent"], "failed"),
        (["failed", "delivered"], "delivered"),
    ],
)
async def test_statuses_may_come_late_twice_and_out_of_order(database, deliverer, clock, reported, state) -> None:
    say(database, "one")
    await deliverer.idle()
    with database.session() as session:
        for each in reported:
            assert attempts.record_delivery_status(session, "text", each, clock(), vendor_id="v1")
        assert not attempts.record_delivery_status(session, "text", "read", clock(), vendor_id="v9")
        assert not attempts.record_delivery_status(session, "other", "read", clock(), vendor_id="v1")
    assert rows(database)[0].state == state


async def test_the_status_of_a_part_does_not_end_the_whole(database, deliverer, vendor, clock) -> None:
    vendor.failures += [Sent("p1", more=True), Retry("busy", after=60)]
    say(database, "a long one")
    await deliverer.idle()
    with database.session() as session:
        assert attempts.record_delivery_status(session, "text", "delivered", clock(), vendor_id="p1")
        with pytest.raises(InvalidInput):
            attempts.record_delivery_status(session, "text", "lost", clock(), vendor_id="p1")
    clock.go(seconds=61)
    await deliverer.idle()
    assert [outgoing.part for outgoing in vendor.tried] == [0, 1, 1]
    assert rows(database)[0].state == "sent"


def test_waits_grow_and_respect_what_was_asked_for() -> None:
    assert [attempts.compute_retry_delay(n, jitter=0.5) for n in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert attempts.compute_retry_delay(50, jitter=0.5) == attempts.LONGEST_WAIT
    assert attempts.compute_retry_delay(1, after=120) == 120
    assert {attempts.compute_retry_delay(3, jitter=jitter) for jitter in (0.0, 1.0)} == {3.0, 5.0}
