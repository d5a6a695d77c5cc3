"""Orders as customers can access them: look up, change the address, cancel."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import Order
from core.errors import NotFound

_NUMBER = re.compile(r"[Rr#]?[\s-]?(\d{6})")
_WAITING = ("placed", "packed")
"""Statuses of orders that have not been shipped and can be changed."""


@dataclass(frozen=True)
class OrderView:
    """The parts of an order that its customer may see."""

    number: str
    email: str
    status: str
    placed_on: date
    expected_on: date | None
    carrier: str | None
    tracking: str | None
    items: tuple[str, ...]

    @property
    def waiting(self) -> bool:
        """Whether it has not been shipped yet."""
        return self.status in _WAITING

    def belongs_to(self, email: str) -> bool:
        """Whether it was placed with this e-mail address."""
        return self.email.casefold() == email.strip().casefold()

    def late(self, today: date) -> bool:
        """Whether it is still on its way after the expected date."""
        return self.status == "shipped" and self.expected_on is not None and self.expected_on < today


def order_number(text: str) -> str | None:
    """Normalise an order number to our format (R104233), from variants such as r104233, #104233, R-104233, 104233."""
    found = _NUMBER.fullmatch(text.strip())
    return f"R{found.group(1)}" if found else None


class Orders:
    """The orders of every tenant, in our own database; a real shop connects its own system here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, tenant_id: str, number: str) -> OrderView | None:
        """Return the order with this number, or None."""
        return await self._database.run(lambda session: _to_order_view(_find_order(session, tenant_id, number)))

    async def send_to(self, tenant_id: str, number: str, address: str) -> bool:
        """Change the address; return False if the order has been shipped already.

        Raises:
            NotFound: there is no such order.
        """

        def set_address(order: Order) -> None:
            order.address = address

        return await self._database.run(lambda session: _change_order(session, tenant_id, number, set_address))

    async def cancel(self, tenant_id: str, number: str) -> bool:
        """Cancel the order; return False if it has been shipped already.

        Raises:
            NotFound: there is no such order.
        """

        def set_cancelled(order: Order) -> None:
            order.status = "cancelled"

        return await self._database.run(lambda session: _change_order(session, tenant_id, number, set_cancelled))


def _find_order(session: Session, tenant_id: str, number: str, *, lock: bool = False) -> Order | None:
    query = select(Order).filter_by(tenant_id=tenant_id, number=number)
    return session.scalar(query.with_for_update() if lock else query)


def _change_order(session: Session, tenant_id: str, number: str, change: Callable[[Order], None]) -> bool:
    order = _find_order(session, tenant_id, number, lock=True)
    if order is None:
        raise NotFound(f"There is no order {number}.")
    if order.status not in _WAITING:
        return False
    change(order)
    return True


def _to_order_view(order: Order | None) -> OrderView | None:
    if order is None:
        return None
    return OrderView(
        number=order.number,
        email=order.email,
        status=order.status,
        placed_on=order.placed_on,
        expected_on=order.expected_on,
        carrier=order.carrier,
        tracking=order.tracking,
        items=tuple(_format_item(item["name"], int(item.get("quantity", 1))) for item in order.items),
    )


def _format_item(name: str, quantity: int) -> str:
    return name if quantity == 1 else f"{quantity} x {name}"
