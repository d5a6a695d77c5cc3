"""Validates values for the order forms: the number exists, and the e-mail matches the order."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.forms import FormValidationAction

from actions.tenants import tenant_of
from bot.skills.shop_orders.orders import Orders, order_number

Slots = dict[str, Any]
MOST_TRIES = 3
"""Maximum number of wrong numbers or e-mails before a person is offered."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_ADDRESS = re.compile(r"(?=.*\d)(?=.*[^\W\d_]{2})\S+.*\s.*\S+", re.DOTALL)
"""A number, a word, and more than one part; addresses around the world have no more in common."""
LONGEST_ADDRESS = 500
_ANOTHER = re.compile(r"\b(?:(?:an)?other|different|second|next|last|previous|earlier|older|newer) (?:\w+ )?(?:order|one|parcel|package|delivery)s?\b", re.IGNORECASE)  # fmt: skip


class OrderForm(FormValidationAction):
    """Shared validation of the three forms: an order that is verified to be the customer's."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    async def required_slots(
        self, domain_slots: list[str], dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[str]:
        """Require no more slots after too many wrong values; the form's action then offers a person."""
        return [] if (tracker.get_slot("wrong_tries") or 0) >= MOST_TRIES else domain_slots

    async def validate_order_number(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Slots:
        """Normalise the number, and check it against an e-mail that is already known.

        The current order is kept, unless the customer mentions another one.
        """
        message = tracker.latest_message
        named = any(entity["value"] == value for entity in message.get("entities", []))
        if not named and _ANOTHER.search(message.get("text") or ""):
            return {"order_number": None}
        number = order_number(str(value))
        if number is None:
            dispatcher.utter_message(response="utter_order_number_invalid")
            return {"order_number": None, **_one_more(tracker)}
        order = await self._orders.find(tenant_of(tracker), number)
        if order is None:
            dispatcher.utter_message(response="utter_order_unknown", order_number=number)
            return {"order_number": None, **_one_more(tracker)}
        email = tracker.get_slot("email")
        if email and "email" not in tracker.slots_to_validate() and not order.belongs_to(email):
            return {"order_number": number, **_reject_email(dispatcher, tracker)}
        return {"order_number": number}

    async def validate_email(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Slots:
        """Check that the address is well formed and matches the order, if known."""
        email = str(value).strip().removeprefix("mailto:")
        if not _EMAIL.fullmatch(email):
            dispatcher.utter_message(response="utter_email_invalid")
            return {"email": None, **_one_more(tracker)}
        number = order_number(tracker.get_slot("order_number") or "")
        order = await self._orders.find(tenant_of(tracker), number) if number else None
        if order and not order.belongs_to(email):
            return _reject_email(dispatcher, tracker)
        return {"email": email}


class ValidateOrderStatusForm(OrderForm):
    """Requires only number and e-mail."""

    def name(self) -> str:
        return "validate_order_status_form"


class ChangingForm(OrderForm):
    """A form that changes an order; requires no more slots once the order has been shipped."""

    async def required_slots(
        self, domain_slots: list[str], dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[str]:
        """Require number and e-mail first, and further slots only while the order can be changed."""
        required = await super().required_slots(domain_slots, dispatcher, tracker, domain)
        number, email = order_number(tracker.get_slot("order_number") or ""), tracker.get_slot("email")
        if not required or not number or not email:
            return required
        order = await self._orders.find(tenant_of(tracker), number)
        return required if order is None or order.waiting else ["order_number", "email"]


class ValidateAddressChangeForm(ChangingForm):
    """Also requires a new address and a confirmation."""

    def name(self) -> str:
        return "validate_address_change_form"

    async def validate_new_address(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Slots:
        """Check that it is a complete address."""
        address = " ".join(str(value).split())
        if len(address) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(address) and not address.startswith("/"):
            return {"new_address": address}
        dispatcher.utter_message(response="utter_address_incomplete")
        return {"new_address": None}


class ValidateCancelOrderForm(ChangingForm):
    """Also requires a confirmation."""

    def name(self) -> str:
        return "validate_cancel_order_form"


def _reject_email(dispatcher: CollectingDispatcher, tracker: Tracker) -> Slots:
    dispatcher.utter_message(response="utter_email_mismatch")
    return {"email": None, **_one_more(tracker)}


def _one_more(tracker: Tracker) -> Slots:
    return {"wrong_tries": float(tracker.get_slot("wrong_tries") or 0) + 1}
