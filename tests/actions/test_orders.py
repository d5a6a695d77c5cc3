"""What the order forms accept, and what is said and done once they are filled."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.clarify import ActionClarify
from actions.stop import ActionStop
from bot.skills.shop_orders.actions import ActionCancelOrder, ActionChangeAddress, ActionOrderStatus
from bot.skills.shop_orders.orders import Orders, order_number
from bot.skills.shop_orders.verification import ValidateAddressChangeForm, ValidateOrderStatusForm
from core.bot.parts import BotParts, find_skills
from core.db import Database
from core.db.models import Order

DOMAIN = BotParts(skills=find_skills(["shop_orders"])).domain()
MINE = {"order_number": "R104233", "email": "sam@example.com"}


@pytest.fixture
def orders(sqlite: Database) -> Orders:
    with sqlite.session() as session:
        for number, status in (("R104233", "placed"), ("R104871", "shipped")):
            session.add(
                Order(tenant_id="default", number=number, email="Sam@example.com", status=status,
                      placed_on=date(2026, 11, 1), expected_on=date(2026, 11, 5), carrier="DHL", tracking="X1",
                      address="1 Old Road", items=[{"name": "Mug", "quantity": 2}])
            )  # fmt: skip
    return Orders(sqlite)


def tracker(filled: dict[str, Any], given: dict[str, Any] | None = None, **latest: Any) -> Tracker:
    """``filled`` from before; ``given`` is what the form just heard."""
    slots = {"wrong_tries": 0.0, "new_address": None, "confirmed": None, "order_number": None, "email": None}
    events = [{"event": "slot", "name": name, "value": value} for name, value in (given or {}).items()]
    state = {**slots, **filled, **(given or {})}
    return Tracker("c1", state, latest, events, False, None, {}, "action_listen")


async def done(action: Any, state: Tracker) -> tuple[list[str], dict[str, Any], CollectingDispatcher]:
    dispatcher = CollectingDispatcher()
    events = await action.run(dispatcher, state, DOMAIN)
    said = [message["response"] for message in dispatcher.messages]
    return said, {event["name"]: event["value"] for event in events}, dispatcher


@pytest.mark.parametrize("written", ["R104233", "r104233", "#104233", "# 104233", "R-104233", " 104233 "])
def test_order_numbers_as_customers_write_them(written: str) -> None:
    assert order_number(written) == "R104233"


@pytest.mark.parametrize("written", ["", "R10423", "R1042333", "hello", "S104233", "/restart"])
def test_what_is_no_order_number(written: str) -> None:
    assert order_number(written) is None


async def test_number_and_email_in_one_message(orders: Orders) -> None:
    said, slots, _ = await done(ValidateOrderStatusForm(orders), tracker({}, {**MINE, "order_number": "#104233"}))
    assert said == []
    assert (slots["order_number"], slots["email"]) == ("R104233", "sam@example.com")


async def test_an_unknown_number_is_counted(orders: Orders) -> None:
    said, slots, _ = await done(ValidateOrderStatusForm(orders), tracker({}, {"order_number": "R999999"}))
    assert said == ["utter_order_unknown"]
    assert (slots["order_number"], slots["wrong_tries"]) == (None, 1.0)


async def test_another_customers_email_is_refused(orders: Orders) -> None:
    heard = tracker({"order_number": "R104233"}, {"email": "eve@example.com"})
    said, slots, _ = await done(ValidateOrderStatusForm(orders), heard)
    assert said == ["utter_email_mismatch"]
    assert (slots["email"], slots["wrong_tries"]) == (None, 1.0)


async def test_one_mismatch_is_said_and_counted_once(orders: Orders) -> None:
    heard = tracker({}, {"order_number": "R104233", "email": "eve@example.com"})
    said, slots, _ = await done(ValidateOrderStatusForm(orders), heard)
    assert said == ["utter_email_mismatch"]
    assert slots["wrong_tries"] == 1.0


async def test_the_third_wrong_try_ends_the_form(orders: Orders) -> None:
    heard = tracker({"wrong_tries": 2.0}, {"order_number": "R999999"})
    _, slots, _ = await done(ValidateOrderStatusForm(orders), heard)
    assert slots["requested_slot"] is None
    said, _, _ = await done(ActionOrderStatus(orders), tracker({**MINE, "wrong_tries": 3.0}))
    assert said == ["utter_order_not_verified"]


async def test_the_status_of_an_order_that_is_late(orders: Orders) -> None:
    action = ActionOrderStatus(orders, today=lambda: date(2026, 11, 9))
    said, slots, dispatcher = await done(action, tracker({**MINE, "order_number": "R104871"}))
    assert said == ["utter_order_shipped", "utter_order_tracking", "utter_order_late"]
    assert dispatcher.messages[0]["items"] == "2 x Mug"
    assert dispatcher.messages[-1]["custom"]["rejoinder"]["outcome"] == "action"
    assert "order_number" not in slots, "it stays the order that is spoken of"


@pytest.mark.parametrize(
    ("text", "number"),
    [("when will it arrive?", "R104233"), ("and my other order?", None), ("what about the second one", None)],
)
async def test_the_verified_order_is_meant_again_unless_another_is(
    orders: Orders, text: str, number: str | None
) -> None:
    heard = tracker({}, MINE, text=text, entities=[])
    _, slots, _ = await done(ValidateOrderStatusForm(orders), heard)
    assert slots["order_number"] == number


async def test_slots_that_were_filled_without_the_form_are_checked(orders: Orders) -> None:
    said, _, _ = await done(ActionOrderStatus(orders), tracker({**MINE, "email": "eve@example.com"}))
    assert said == ["utter_order_not_verified"]


async def test_orders_of_another_tenant_are_not_found(orders: Orders) -> None:
    said, _, _ = await done(ActionOrderStatus(orders), tracker(MINE, metadata={"tenant_id": "other"}))
    assert said == ["utter_order_not_verified"]


@pytest.mark.parametrize(("address", "good"), [("12 Rose Lane, Leeds", True), ("Hauptstr. 5, 10115 Berlin", True),
                                               ("yes", False), ("12", False), ("x1 " * 300, False)])  # fmt: skip
async def test_addresses(orders: Orders, address: str, good: bool) -> None:
    said, slots, _ = await done(ValidateAddressChangeForm(orders), tracker(MINE, {"new_address": address}))
    assert (slots["new_address"] is not None) is good
    assert (said == ["utter_address_incomplete"]) is not good


async def test_nothing_more_is_asked_about_an_order_that_has_left(orders: Orders) -> None:
    heard = tracker({"order_number": "R104871"}, {"email": "sam@example.com"})
    _, slots, _ = await done(ValidateAddressChangeForm(orders), heard)
    assert slots["requested_slot"] is None
    said, _, _ = await done(ActionChangeAddress(orders), tracker({**MINE, "order_number": "R104871"}))
    assert said == ["utter_address_too_late"]


async def test_an_address_is_changed_only_after_a_yes(orders: Orders, sqlite: Database) -> None:
    asked = {**MINE, "new_address": "2 New Road, York"}
    said, _, _ = await done(ActionChangeAddress(orders), tracker({**asked, "confirmed": False}))
    assert (said, _address(sqlite)) == (["utter_address_unchanged"], "1 Old Road")
    said, _, _ = await done(ActionChangeAddress(orders), tracker({**asked, "confirmed": True}))
    assert (said, _address(sqlite)) == (["utter_address_changed"], "2 New Road, York")


async def test_an_order_is_cancelled_once(orders: Orders) -> None:
    said, _, _ = await done(ActionCancelOrder(orders), tracker({**MINE, "confirmed": True}))
    assert said == ["utter_order_now_cancelled"]
    said, _, _ = await done(ActionCancelOrder(orders), tracker({**MINE, "confirmed": True}))
    assert said == ["utter_closed_already"]


class Answers(Action):
    """Says that it was asked."""

    def name(self) -> str:
        return "rejoinder_answer"

    async def run(self, dispatcher: CollectingDispatcher, _tracker: Tracker, _domain: dict[str, Any]) -> list[Any]:
        dispatcher.utter_message(response="utter_answered")
        return []


def ranked(*names: str) -> Tracker:
    return tracker({}, intent_ranking=[{"name": name, "confidence": 0.2} for name in names])


async def test_asking_back_offers_titled_intents_and_a_way_out() -> None:
    heard = ranked("cancel_order", "greet", "change_address", "out_of_scope", "complaint", "order_status")
    _, _, dispatcher = await done(ActionClarify(Answers()), heard)
    payloads = [button["payload"] for button in dispatcher.messages[0]["buttons"]]
    assert payloads == ["/cancel_order", "/change_address", "/complaint", "/out_of_scope"]


async def test_what_was_understood_and_leads_nowhere_is_not_asked_back() -> None:
    heard = ranked("affirm", "greet")
    heard.latest_message["intent"] = {"name": "affirm", "confidence": 1.0}
    assert (await done(ActionClarify(Answers()), heard))[0] == ["utter_what_next"]


async def test_what_is_likeliest_a_question_is_answered_instead() -> None:
    said, _, _ = await done(ActionClarify(Answers()), ranked("ask_knowledge", "cancel_order"))
    assert said == ["utter_answered"]


async def test_stopping_forgets_what_the_form_had_asked_for() -> None:
    heard = tracker({**MINE, "new_address": "2 New Road, York"})
    begun, ended = ({"event": "active_loop", "name": name} for name in ("address_change_form", None))
    heard.events = [begun, {"event": "user"}, ended]
    said, slots, _ = await done(ActionStop(), heard)
    assert said == ["utter_stopped"]
    assert slots == dict.fromkeys(["order_number", "email", "new_address", "confirmed"])
    heard.events = [begun, ended, {"event": "user"}, ended]
    said, slots, _ = await done(ActionStop(), heard)
    assert (said, slots) == (["utter_nothing_to_stop"], {})


def _address(database: Database) -> str:
    with database.session() as session:
        return session.query(Order).filter_by(number="R104233").one().address
