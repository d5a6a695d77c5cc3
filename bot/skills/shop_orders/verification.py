"""Checks what the order forms are told: the number exists, the e-mail is the one it was ordered with."""

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
"""So often a number or an e-mail may be wrong before a person is offered."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_ADDRESS = re.compile(r"(?=.*\d)(?=.*[^\W\d_]{2})\S+.*\s.*\S+", re.DOTALL)
"""A number, a word, and more than one part; addresses of the world have no more in common."""
LONGEST_ADDRESS = 500
_ANOTHER = re.compile(r"\b(?:(?:an)?other|different|second|next|last|previous|earlier|older|newer) (?:\w+ )?(?:order|one|parcel|package|delivery)s?\b", re.IGNORECASE)  # fmt: skip


class OrderForm(FormValidationAction):
    """What the three forms have in common: an order that is verified to be the customer's."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    async def required_slots(
        self, domain_slots: list[str], dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[str]:
        """Nothing more once it went wrong too often; the form's action then offers a person."""
        return [] if (tracker.get_slot("wrong_tries") or 0) >= MOST_TRIES else domain_slots

    async def validate_order_number(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Slots:
        """The number as we write it; an e-mail that was known before must fit.

        The order that was spoken of before is meant again, unless the customer says that it is another.
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
        """A well-formed address that belongs to the order, if that is known."""
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
    """Number and e-mail are all it needs."""

    def name(self) -> str:
        return "validate_order_status_form"


class ChangingForm(OrderForm):
    """A form that changes an order asks nothing more about one that has left."""

    async def required_slots(
        self, domain_slots: list[str], dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[str]:
        """Number and e-mail first; what comes after only while the order can be changed."""
        required = await super().required_slots(domain_slots, dispatcher, tracker, domain)
        number, email = order_number(tracker.get_slot("order_number") or ""), tracker.get_slot("email")
        if not required or not number or not email:
            return required
        order = await self._orders.find(tenant_of(tracker), number)
        return required if order is None or order.waiting else ["order_number", "email"]


class ValidateAddressChangeForm(ChangingForm):
    """Beside the order a new address, and a yes."""

    def name(self) -> str:
        return "validate_address_change_form"

    async def validate_new_address(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Slots:
        """Something that can be delivered to."""
        address = " ".join(str(value).split())
        if len(address) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(address) and not address.startswith("/"):
            return {"new_address": address}
        dispatcher.utter_message(response="utter_address_incomplete")
        return {"new_address": None}


class ValidateCancelOrderForm(ChangingForm):
    """Beside the order a yes."""

    def name(self) -> str:
        return "validate_cancel_order_form"


def _reject_email(dispatcher: CollectingDispatcher, tracker: Tracker) -> Slots:
    dispatcher.utter_message(response="utter_email_mismatch")
    return {"email": None, **_one_more(tracker)}


def _one_more(tracker: Tracker) -> Slots:
    return {"wrong_tries": float(tracker.get_slot("wrong_tries") or 0) + 1}
