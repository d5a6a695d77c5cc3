"""Actions for completed forms: order status, change of address, cancellation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.reply import Note, begin_reply, send_reply
from actions.tenants import tenant_of
from bot.skills.shop_orders.orders import Orders, OrderView
from bot.skills.shop_orders.verification import (
    MOST_TRIES,
    ValidateAddressChangeForm,
    ValidateCancelOrderForm,
    ValidateOrderStatusForm,
)
from core.db import Database

Events = list[dict[str, Any]]
DONE = Note(outcome="action")


def make_actions(database: Database) -> list[Action]:
    """Create the actions in the skill's domain."""
    orders = Orders(database)
    return [
        ActionOrderStatus(orders),
        ActionChangeAddress(orders),
        ActionCancelOrder(orders),
        ValidateOrderStatusForm(orders),
        ValidateAddressChangeForm(orders),
        ValidateCancelOrderForm(orders),
    ]


class OrderAction(Action):
    """Verifies that an order belongs to the customer before acting on it; the order stays the current one."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        """Act on the order, or say why not."""
        order = await self._find_verified_order(tracker)
        if order is None:
            send_reply(dispatcher, Note(outcome="unknown"), response="utter_order_not_verified")
            return _reset_slots("order_number", "email")
        await self.act(order, dispatcher, tracker)
        return _reset_slots()

    async def act(self, order: OrderView, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
        """Perform the action and confirm it."""
        raise NotImplementedError

    async def _find_verified_order(self, tracker: Tracker) -> OrderView | None:
        """Return the order if the e-mail matches; checked again here, because slots can be set at any time in a conversation."""
        number, email = tracker.get_slot("order_number"), tracker.get_slot("email")
        if not number or not email or (tracker.get_slot("wrong_tries") or 0) >= MOST_TRIES:
            return None
        order = await self._orders.find(tenant_of(tracker), number)
        return order if order and order.belongs_to(email) else None


class ActionOrderStatus(OrderAction):
    """Tells the customer where an order is."""

    def __init__(self, orders: Orders, today: Callable[[], date] = date.today) -> None:
        super().__init__(orders)
        self._today = today

    def name(self) -> str:
        return "action_order_status"

    async def act(self, order: OrderView, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
        """Send one message with status, carrier and expected date."""
        *first, last = self._list_responses(order)
        for response in first:
            begin_reply(dispatcher, response=response, **_build_order_values(order))
        send_reply(dispatcher, DONE, response=last, **_build_order_values(order))

    def _list_responses(self, order: OrderView) -> list[str]:
        parts = [f"utter_order_{order.status}"]
        if order.carrier and order.tracking and order.status in ("shipped", "delivered"):
            parts.append("utter_order_tracking")
        if order.late(self._today()):
            parts.append("utter_order_late")
        elif order.expected_on and order.status in ("placed", "packed", "shipped"):
            parts.append("utter_order_expected")
        elif order.status == "delivered":
            parts.append("utter_order_not_found")
        return parts


class ActionChangeAddress(OrderAction):
    """Changes an order's address, as long as it has not been shipped."""

    def name(self) -> str:
        return "action_change_address"

    async def act(self, order: OrderView, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
        """Change the address if the customer confirmed."""
        address = tracker.get_slot("new_address")
        if not order.waiting:
            return _too_late(order, dispatcher, "utter_address_too_late")
        if not tracker.get_slot("confirmed") or not address:
            return send_reply(dispatcher, DONE, response="utter_address_unchanged")
        if not await self._orders.send_to(tenant_of(tracker), order.number, address):
            return _too_late(order, dispatcher, "utter_address_too_late")
        return send_reply(
            dispatcher, DONE, response="utter_address_changed", order_number=order.number, new_address=address
        )


class ActionCancelOrder(OrderAction):
    """Cancels an order, as long as it has not been shipped."""

    def name(self) -> str:
        return "action_cancel_order"

    async def act(self, order: OrderView, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
        """Cancel the order if the customer confirmed."""
        if not order.waiting:
            return _too_late(order, dispatcher, "utter_cancel_too_late")
        if not tracker.get_slot("confirmed"):
            return send_reply(dispatcher, DONE, response="utter_order_kept")
        if not await self._orders.cancel(tenant_of(tracker), order.number):
            return _too_late(order, dispatcher, "utter_cancel_too_late")
        return send_reply(dispatcher, DONE, response="utter_order_now_cancelled", order_number=order.number)


def _reset_slots(*also: str) -> Events:
    """Reset the forms' slots, except a verified order and its e-mail."""
    return [*(SlotSet(slot, None) for slot in ("new_address", "confirmed", *also)), SlotSet("wrong_tries", 0.0)]


def _too_late(order: OrderView, dispatcher: CollectingDispatcher, response: str) -> None:
    response = "utter_closed_already" if order.status == "cancelled" else response
    send_reply(dispatcher, DONE, response=response, order_number=order.number)


def _build_order_values(order: OrderView) -> dict[str, Any]:
    return {
        "order_number": order.number,
        "items": ", ".join(order.items),
        "placed_on": _format_date(order.placed_on),
        "expected_on": _format_date(order.expected_on) if order.expected_on else "",
        "carrier": order.carrier or "",
        "tracking": order.tracking or "",
    }


def _format_date(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
