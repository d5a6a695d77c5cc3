"""What a customer writes while nobody takes Twilio's webhooks is answered afterwards, once, and as if it had come by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from connectors.twilio import backfill
from connectors.twilio.templates import UPDATE
from core.bot.texts import Texts
from core.db import Database
from core.db.models import Address, Conversation, Delivery, Message, get_current_time
from testing.twilio import FakeTwilio
from testing.twilio_rig import CUSTOMER, DOMAIN, SHOP_SMS, Rig, answer
from testing.waiting import soon
from tests.connectors.twilio.test_delivery import contents
from tests.connectors.twilio.test_files import PNG

LATE = Texts.load(DOMAIN).late
OTHER = "whatsapp:+447700900999"
MINUTES, HOURS, DAYS = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Logs = list[dict[str, object]]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "APART_SECONDS", 0)


@asynccontextmanager
async def there_for_long(database: Database, twilio: FakeTwilio, home: Path) -> AsyncIterator[Rig]:
    """It was last reached ten days ago."""
    async with Rig(database, twilio, home).running() as running:
        await running.look(ago=10 * DAYS)
        yield running


@pytest.fixture
async def rig(sqlite: Database, twilio: FakeTwilio, tmp_path: Path) -> AsyncIterator[Rig]:
    async with there_for_long(sqlite, twilio, tmp_path) as running:
        yield running


@pytest.fixture
def logs() -> Iterator[Logs]:
    with structlog.testing.capture_logs() as captured:
        yield captured


async def test_what_was_written_meanwhile_is_answered_once(rig: Rig, logs: Logs) -> None:
    rig.unheard("How long does delivery take?", 20 * MINUTES)
    rig.rasa.answers.append(answer("Two to four days."))
    await rig.look()
    await rig.look()

    assert rig.rasa.heard == ["How long does delivery take?"]
    assert rig.said() == ["Two to four days."]
    assert [line["fetched"] for line in logs if "fetched" in line] == [1]
    assert not any("delivery take" in str(line) or CUSTOMER in str(line) for line in logs)


async def test_an_sms_too(rig: Rig) -> None:
    rig.unheard("Delivery?", 20 * MINUTES, From=CUSTOMER, To=SHOP_SMS)
    await rig.look()

    assert rig.said() == ["Hello!"]
    assert rig.rasa.channels == ["sms"]


async def test_all_pages_are_read_and_everything_is_taken_in_the_order_of_its_time(rig: Rig) -> None:
    rig.twilio.page_most = 3
    for n in reversed(range(8)):
        rig.unheard(f"message {n}", (30 - n) * MINUTES, From=OTHER if n % 2 else f"whatsapp:{CUSTOMER}")
    await rig.look()

    assert [m.text for m in rig.rows(Message) if m.speaker == "customer"] == [f"message {n}" for n in range(8)]
    assert len(rig.rasa.heard) == 8
    assert [("PageToken" in asked) for asked in rig.twilio.lists if "whatsapp" in asked["To"]] == [False, True, True]


@pytest.mark.parametrize("way", ["before", "after", "at the same moment"])
async def test_what_also_comes_by_a_webhook_is_not_doubled(
    database: Database, twilio: FakeTwilio, tmp_path: Path, way: str
) -> None:
    async with there_for_long(database, twilio, tmp_path) as rig:
        written = [rig.unheard(f"message {n}", 5 * MINUTES) for n in range(5)]

        async def webhooks() -> None:
            assert [await rig.post(fields) for fields in written] == [200] * 5

        if way == "at the same moment":
            await asyncio.gather(webhooks(), rig.look())
        else:
            for come in (webhooks, rig.look) if way == "before" else (rig.look, webhooks):
                await come()
        await rig.settle()

        said = sorted(m.text for m in rig.rows(Message) if m.speaker == "customer")
        assert said == [f"message {n}" for n in range(5)]
        assert len(rig.said()) == len(rig.rasa.heard) == 5


@pytest.mark.parametrize("event", ["stop", "reaction", "other_reaction", "group", "voice"])
async def test_what_a_webhook_brought_and_is_no_message_is_none_afterwards_either(rig: Rig, event: str) -> None:
    fields = rig.event(event)
    if event == "voice":
        fields["MediaUrl0"] = rig.twilio.add_media(b"OggS", "audio/ogg")
    await rig.post(fields)
    await rig.settle()
    before = rig.said()
    rig.twilio.write(
        fields["From"], fields["To"], fields["Body"], get_current_time() - 2 * MINUTES, sid=fields["MessageSid"]
    )
    await rig.look()

    assert rig.said() == before
    assert rig.rasa.heard == []


async def test_what_is_young_is_left_to_the_webhook_and_looked_for_soon(rig: Rig) -> None:
    rig.unheard("Is anybody there?", timedelta(seconds=5))

    assert await rig.look()
    assert rig.rasa.heard == []
    assert not await rig.look(ago=-2 * MINUTES)
    assert rig.rasa.heard == ["Is anybody there?"]


async def test_files_come_with_it(rig: Rig) -> None:
    rig.unheard("It came like this", 5 * MINUTES, (PNG, "image/png"), (PNG, "image/png"))
    await rig.look()

    message = rig.rows(Message)[0]
    assert message.text == "It came like this"
    assert [(rig.home / each["path"]).read_bytes() for each in message.attachments] == [PNG, PNG]


async def test_files_that_cannot_be_listed_are_asked_for_again(rig: Rig) -> None:
    rig.unheard("It came like this", 20 * MINUTES, (PNG, "image/png"))
    kept, rig.twilio.written[0].media = rig.twilio.written[0].media, ["gone"]
    await rig.look()
    assert rig.rows(Message) == []
    rig.unheard("And a word", 15 * MINUTES)
    rig.twilio.written[0].media = kept
    await rig.look()

    assert [m.text for m in rig.rows(Message) if m.speaker == "customer"] == ["It came like this", "And a word"]


async def test_who_wrote_stop_gets_nothing_more(rig: Rig) -> None:
    rig.unheard("STOP", 20 * MINUTES)
    await rig.look()

    assert rig.rows(Address)[0].opted_out_at is not None
    assert [said for said in rig.said() if "no more messages" in said] == rig.said() != []


async def test_the_last_wish_counts_however_it_came(rig: Rig) -> None:
    rig.unheard("STOP", 20 * MINUTES)
    fields = rig.unheard("START", 10 * MINUTES)
    await rig.post(fields)
    await rig.look()

    assert rig.rows(Address)[0].opted_out_at is None
    assert rig.said() == ["Welcome back. How can I help?"]


async def test_a_thumb_is_for_what_had_been_read_when_it_was_given(rig: Rig) -> None:
    await rig.ask("Delivery?", answer("Two to four days."))
    rig.read_long_ago()
    rig.unheard("👍 Helpful", 3 * MINUTES)
    await rig.ask("Refunds?", answer("Within five days."))
    await rig.status("read", rig.rows(Delivery)[-1])
    await rig.look()

    assert rig.ratings() == {"Two to four days.": True}
    assert len(rig.rasa.heard) == 2


async def test_a_thumb_that_was_fetched_is_nothing_more_when_its_webhook_comes_after_all(rig: Rig) -> None:
    await rig.ask("Delivery?", answer("Two to four days."))
    rig.read_long_ago()
    fields = rig.unheard("👍", 3 * MINUTES)
    await rig.look()
    await rig.ask("Refunds?", answer("Is it one of these?", "Refund", "Return", outcome="clarified"))
    rig.read_long_ago()
    await rig.post(fields)
    await rig.settle()

    assert rig.ratings() == {"Two to four days.": True}
    assert rig.rasa.heard == ["Delivery?", "Refunds?"]


async def test_a_choice_comes_as_its_title_and_is_the_press(rig: Rig) -> None:
    await rig.ask("Help", answer("Is it one of these?", "Refund", "Delivery", outcome="clarified"))
    rig.unheard("Delivery", 2 * MINUTES)
    await rig.look()

    assert rig.rasa.heard == ["Help", "/choose1"]


async def test_what_holds_nothing_to_read_is_asked_for_in_words(rig: Rig) -> None:
    rig.unheard("", 5 * MINUTES)  # a place, of which the log has nothing
    await rig.look()
    await rig.look()

    assert rig.said() == ["I can only read text. Please write what it is about."]


async def test_who_waited_long_reads_first_that_we_are_sorry_and_only_once(rig: Rig) -> None:
    rig.unheard("First question", 3 * HOURS)
    rig.unheard("Second question", 2 * HOURS)
    rig.unheard("Not so long ago", 10 * MINUTES, From=OTHER)
    rig.rasa.answers.extend(answer(text) for text in ("First.", "Second.", "Third."))
    await rig.look()

    assert [said.splitlines()[0] for said in rig.said()] == [LATE, "First.", "Second."]
    assert rig.twilio.said(OTHER) == ["Third."]


async def test_after_a_day_the_answer_goes_out_as_a_template(rig: Rig) -> None:
    await contents(rig).create(UPDATE)
    rig.twilio.approve(UPDATE)
    rig.unheard("How long does delivery take?", 26 * HOURS)
    rig.rasa.answers.append(answer("Two to four days.", outcome="clarified"))
    await rig.look()

    assert [message.variables.get("1") for message in rig.twilio.messages] == [LATE, "Two to four days."]
    assert {message.content["friendly_name"] for message in rig.twilio.messages} == {UPDATE}


async def test_an_older_message_does_not_close_the_window_of_a_newer_one(rig: Rig) -> None:
    rig.unheard("An old question", 26 * HOURS)
    await rig.write("A new question")
    await rig.look()

    assert get_current_time() - rig.rows(Address)[0].last_inbound_at < MINUTES
    assert LATE in rig.said()
    assert len(rig.rows(Conversation)) == 1


async def test_what_is_older_than_three_days_stays_where_it_is_and_the_log_says_so(rig: Rig, logs: Logs) -> None:
    rig.unheard("Ages ago", 4 * DAYS)
    rig.unheard("Lately", 71 * HOURS)
    await rig.look()

    assert rig.rasa.heard == ["Lately"]
    assert any("stays in Twilio's log only" in str(line["event"]) for line in logs)


async def test_a_new_installation_does_not_fetch_the_past_of_its_number(
    sqlite: Database, twilio: FakeTwilio, tmp_path: Path
) -> None:
    async with Rig(sqlite, twilio, tmp_path).running() as rig:
        rig.unheard("To whoever had this number before", 5 * MINUTES)
        await rig.look(ago=2 * MINUTES)
        await rig.look()

        assert rig.rows(Message) == []


@pytest.mark.parametrize(("error", "cause"), [(20003, "AUTH_TOKEN"), (20429, "too fast"), (20503, "503")])
@pytest.mark.parametrize("page", [0, 1])
async def test_a_log_that_cannot_be_read_is_told_with_its_cause_and_read_later(
    rig: Rig, logs: Logs, error: int, cause: str, page: int
) -> None:
    rig.twilio.page_most = 1
    for n in range(2):
        rig.unheard(f"message {n}", (20 - n) * MINUTES)
    rig.twilio.list_plan.extend([None] * page + [error])
    await rig.look()
    assert rig.rasa.heard == []
    assert [cause in str(line["error"]) for line in logs if "could not be read" in str(line["event"])] == [True]
    await rig.look()

    assert rig.rasa.heard == ["message 0", "message 1"]


async def test_without_a_network_app_goes_on(rig: Rig, logs: Logs) -> None:
    rig.unheard("Hello?", 20 * MINUTES)
    rig.side.backfill._twilio._client.http_client._api_url = "http://127.0.0.1:9"
    await rig.look()

    assert ["cannot be reached" in str(line["error"]) for line in logs if "could not be" in str(line["event"])] == [
        True,
        True,
    ]


async def test_a_message_that_cannot_be_taken_does_not_keep_the_others_back(rig: Rig) -> None:
    rig.unheard("From nowhere", 20 * MINUTES, From="whatsapp:nobody")
    rig.unheard("From somebody", 10 * MINUTES)
    await rig.look()

    assert rig.rasa.heard == ["From somebody"]


async def test_who_wrote_too_much_in_a_minute_is_read_as_far_as_then_and_others_wholly(rig: Rig) -> None:
    rig.per_minute = 5
    async with rig.running():
        for n in range(20):
            rig.unheard(f"spam {n}", 10 * MINUTES - timedelta(seconds=n))
        for n in range(8):
            rig.unheard(f"question {n}", (20 + n) * MINUTES, From=OTHER)
        await rig.look()

    assert sum(text.startswith("spam") for text in rig.rasa.heard) == 5
    assert sum(text.startswith("question") for text in rig.rasa.heard) == 8


async def test_what_a_webhook_refused_as_too_much_is_not_fetched_either(rig: Rig) -> None:
    rig.per_minute = 5
    async with rig.running():
        for n in range(20):
            await rig.post(rig.unheard(f"spam {n}", 2 * MINUTES - timedelta(seconds=n)))
        await rig.settle()
        assert len(rig.rasa.heard) == 5
        await rig.look()

    assert len(rig.rasa.heard) == 5


async def test_a_start_looks_by_itself_once_somebody_is_there_who_answers(rig: Rig) -> None:
    asked = 0

    async def ready() -> bool:
        nonlocal asked
        asked += 1
        return asked > 1

    rig.unheard("Hello?", 20 * MINUTES)
    rig.side.backfill._ready, rig.side.backfill._clock = ready, get_current_time
    await rig.side.start()
    await soon(lambda: rig.rasa.heard)
    await rig.side.stop()

    assert rig.rasa.heard == ["Hello?"]
    assert asked == 2
