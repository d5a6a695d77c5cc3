"""What we say arrives: through errors and hours without Twilio, outside the window, in order; and what became of it is known."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from sqlalchemy import update

from connectors.twilio.client import Twilio
from connectors.twilio.profile import TwilioConfig
from connectors.twilio.templates import UPDATE, Contents
from core import logs
from core.db.models import Address, Delivery, get_current_time
from testing.twilio import ACCOUNT, TOKEN, FakeTwilio
from testing.twilio_rig import CUSTOMER, PUBLIC, Rig, answer

HELLO = answer("Two to four days.", outcome="clarified")


def all_due(rig: Rig) -> None:
    """The time that a retry waits for has come."""
    with rig.database.session() as session:
        session.execute(update(Delivery).values(next_at=get_current_time() - timedelta(seconds=1)))


async def test_what_was_said_while_twilio_was_away_arrives_afterwards_in_order(rig: Rig) -> None:
    rig.twilio.away = True
    for n in range(5):
        await rig.ask(f"Question {n}", answer(f"Answer {n}", outcome="clarified"))
    rig.late = timedelta(hours=1)
    await rig.deliverer.idle()
    assert rig.said() == []

    rig.twilio.away = False
    all_due(rig)
    await rig.deliverer.idle()

    assert rig.said() == [f"Answer {n}" for n in range(5)]
    assert {row.state for row in rig.rows(Delivery)} == {"sent"}


@pytest.mark.parametrize("code", [20429, 20500, 20503, 20003])
async def test_what_passes_is_tried_again(rig: Rig, code: int) -> None:
    rig.twilio.plan.append(code)
    await rig.ask("Hi", HELLO)
    (row,) = rig.rows(Delivery)
    assert (row.state, rig.said()) == ("queued", [])
    if code == 20429:
        assert (row.next_at - row.updated_at).total_seconds() >= 2

    all_due(rig)
    await rig.deliverer.idle()

    assert rig.said() == ["Two to four days."]


async def test_what_is_refused_for_good_is_not_tried_again(rig: Rig) -> None:
    rig.twilio.plan.append(21211)
    await rig.ask("Hi", HELLO)

    (row,) = rig.rows(Delivery)
    assert row.state == "failed"
    assert "21211" in row.error


async def test_a_connection_that_breaks_off_after_twilio_took_it_sends_it_once(rig: Rig) -> None:
    rig.twilio.plan.append("cut")
    await rig.ask("Hi", HELLO)
    assert rig.rows(Delivery)[0].possible_duplicate
    all_due(rig)
    await rig.deliverer.idle()

    assert rig.said() == ["Two to four days."]
    (row,) = rig.rows(Delivery)
    assert (row.state, row.possible_duplicate) == ("sent", False)
    assert row.vendor_id == rig.twilio.messages[0].sid


async def test_statuses_in_any_order_never_go_back(rig: Rig) -> None:
    await rig.ask("Hi", HELLO)
    (row,) = rig.rows(Delivery)
    assert rig.twilio.messages[0].callback == f"{PUBLIC}/channels/twilio/status/whatsapp/{row.id}"

    for state in ("queued", "read", "sent", "delivered", "read"):
        assert await rig.status(state, row) == 204
    assert rig.rows(Delivery)[0].state == "read"
    assert await rig.status("failed", row, ErrorCode="63016") == 204
    assert rig.rows(Delivery)[0].state == "read"


async def test_a_failure_told_later_is_noted_with_its_number(rig: Rig) -> None:
    await rig.ask("Hi", HELLO)
    (row,) = rig.rows(Delivery)
    await rig.status("undelivered", row, ErrorCode="63024", ErrorMessage="no such user")

    (row,) = rig.rows(Delivery)
    assert row.state == "failed"
    assert "63024" in row.error


async def test_a_forged_status_changes_nothing(rig: Rig) -> None:
    await rig.ask("Hi", HELLO)
    (row,) = rig.rows(Delivery)
    path, fields = f"/channels/twilio/status/whatsapp/{row.id}", {"MessageStatus": "read"}

    assert (await rig.http.post(path, data=fields, headers={"X-Twilio-Signature": "x"})).status_code == 401
    assert rig.rows(Delivery)[0].state == "sent"


async def test_outside_the_window_it_waits_for_an_approved_template_and_goes_as_that(rig: Rig) -> None:
    rig.twilio.away = True
    await rig.ask("Hi", answer("Your parcel is there.\n\nIt waits at the shop.", outcome="clarified"))
    rig.twilio.away = False
    close_window(rig)
    all_due(rig)
    await rig.deliverer.idle()
    assert rig.said() == []
    assert "templates create" in rig.rows(Delivery)[0].error

    assert await contents(rig).create(UPDATE) == "received"
    rig.twilio.approve(UPDATE)
    all_due(rig)
    await rig.deliverer.idle()

    (message,) = rig.twilio.messages
    assert message.content["friendly_name"] == UPDATE
    assert message.variables == {"1": "Your parcel is there. It waits at the shop."}


async def test_outside_the_window_by_a_later_status_it_goes_again_as_a_template_once(rig: Rig) -> None:
    assert await contents(rig).create(UPDATE) == "received"
    rig.twilio.approve(UPDATE)
    await rig.ask("Hi", answer("Two to four days.", outcome="clarified"))
    (row,) = rig.rows(Delivery)
    for _ in range(2):
        assert await rig.status("failed", row, ErrorCode="63016") == 204
        await rig.deliverer.idle()

    first, again = rig.twilio.messages
    assert (first.body, first.content) == ("Two to four days.", None)
    assert (again.content["friendly_name"], again.variables) == (UPDATE, {"1": "Two to four days."})
    (sent,) = rig.rows(Delivery)
    assert (sent.state, sent.vendor_id, sent.possible_duplicate) == ("sent", again.sid, False)


async def test_what_waited_for_a_template_goes_first_when_the_customer_writes_again(rig: Rig) -> None:
    rig.twilio.away = True
    await rig.ask("Hi", HELLO)
    rig.twilio.away = False
    close_window(rig)
    all_due(rig)
    await rig.deliverer.idle()

    await rig.ask("Hello?", answer("I am here.", outcome="clarified"))

    assert rig.said() == ["Two to four days.", "I am here."]


async def test_templates_are_made_once_and_followed(rig: Rig) -> None:
    made = contents(rig)
    assert {each["status"] for each in await made.templates()} == {"missing"}
    assert [await made.create(UPDATE) for _ in range(2)] == ["received", "received"]
    assert len(rig.twilio.contents) == 1
    rig.twilio.approve(UPDATE, "rejected")
    assert next(e for e in await made.templates() if e["name"] == UPDATE)["status"] == "rejected"
    assert await made.template(UPDATE) is None


async def test_choices_are_buttons_that_can_be_pressed(rig: Rig, twilio: FakeTwilio) -> None:
    await rig.ask("Help", answer("Which?", "Refund", "Exchange", outcome="clarified"))
    (shown,) = twilio.messages
    assert [title for title, _ in shown.buttons] == ["Refund", "Exchange"]

    payload = shown.buttons[0][1]
    await rig.post(rig.event("button", ButtonPayload=payload, OriginalRepliedMessageSid=shown.sid))
    await rig.settle()

    assert rig.rasa.heard[-1] == "/choose0"


@pytest.mark.parametrize("said", ["2", "exchange", "Exchnge"])
async def test_choices_can_be_answered_in_words(rig: Rig, said: str) -> None:
    await rig.ask("Help", answer("Which?", "Refund", "Exchange", outcome="clarified"))
    await rig.write(said)

    assert rig.rasa.heard[-1] == "/choose1"


async def test_more_choices_are_a_list_and_long_ones_are_numbered(rig: Rig) -> None:
    five = [f"Choice {n}" for n in range(5)]
    await rig.ask("Help", answer("Which?", *five, outcome="clarified"))
    payload = rig.twilio.messages[0].buttons[3]
    assert payload[0] == "Choice 3"
    await rig.post(rig.event("list", ListId=payload[1], ListTitle=payload[0], Body=payload[0]))
    await rig.settle()
    assert rig.rasa.heard[-1] == "/choose3"

    long = "How long does express delivery to the islands take?"
    await rig.ask("Help", answer("Did you mean:", long, "Refund", outcome="clarified"))
    assert rig.said()[-1] == f"Did you mean:\n\n1. {long}\n2. Refund"


async def test_the_same_choices_need_one_content(rig: Rig) -> None:
    for _ in range(3):
        await rig.ask("Help", answer("Which?", "Refund", "Exchange", outcome="clarified"))

    assert len(rig.twilio.contents) == 1


def close_window(rig: Rig) -> None:
    with rig.database.session() as session:
        session.execute(update(Address).values(last_inbound_at=get_current_time() - timedelta(hours=25)))
    rig.twilio.outside_window.add(f"whatsapp:{CUSTOMER}")


def contents(rig: Rig) -> Contents:
    config = TwilioConfig("shop", ACCOUNT, TOKEN, {}, rig.home, "s", api_url=rig.twilio.url)
    return Contents(Twilio(config))


async def test_the_log_has_none_of_the_sdks_lines_in_which_numbers_stand(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = root.handlers, root.level
    logs.configure_logging("json", "INFO")
    try:
        await rig.ask("Hi", HELLO)
    finally:
        root.handlers, root.level = before
    told = capsys.readouterr().err
    assert "turn answered" in told
    assert "twilio.http_client" not in told
