"""Budget checks: an estimate is reserved before each call and replaced by the real cost afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.llm.router.rules import Budget
from core.llm.types import RequestOrigin

log = structlog.get_logger()

WARN_SHARE = Decimal("0.8")
FRESH_SECONDS = 10.0
"""Interval for rereading the ledger, to include what other processes spent."""
MOST_ACCOUNTS = 10_000
ZERO = Decimal(0)


class Spending(Protocol):
    """Spending according to the ledger."""

    async def spent_today(self, tenant_id: str | None) -> Decimal:
        """Return the cost since midnight UTC, of one tenant or of all."""

    async def spent_conversation(self, conversation_id: str) -> Decimal:
        """Return the total cost of a conversation."""


@dataclass
class Account:
    """Spending against one budget: stored in the ledger, added since, and reserved."""

    day: date
    stored: Decimal = ZERO
    since: Decimal = ZERO
    reserved: Decimal = ZERO
    read_at: float | None = None
    warned: bool = False

    @property
    def spent(self) -> Decimal:
        """The total spent so far."""
        return self.stored + self.since


Key = tuple[str, str]


@dataclass(frozen=True)
class BudgetBound:
    """One limit that applies to a call."""

    key: Key
    limit: Decimal


@dataclass
class Reservation:
    """Money reserved for one call."""

    accounts: tuple[Account, ...]
    amount: Decimal

    def settle(self, cost: Decimal) -> None:
        """Replace the reservation by the real cost of the call."""
        for account in self.accounts:
            account.reserved -= self.amount
            account.since += cost
        self.accounts = ()


class Budgets:
    """Accounts of tenants, conversations and days, kept in memory and refreshed from the ledger."""

    def __init__(
        self,
        spending: Spending,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._spending, self._clock, self._today = spending, clock, today
        self._accounts: dict[Key, Account] = {}

    async def read(self, caller: RequestOrigin, budget: Budget) -> None:
        """Refresh the accounts that this caller needs."""
        for bound in list_budget_bounds(caller, budget):
            account = self._get_account(bound.key)
            if account.read_at is not None and self._clock() - account.read_at < FRESH_SECONDS:
                continue
            account.read_at, before, account.since = self._clock(), account.since, ZERO
            try:
                account.stored = await self._load_spending(bound.key)
            except SQLAlchemyError as error:
                account.since += before
                log.warning("spending not read", account=bound.key[0], error=str(error))

    def is_exhausted(self, caller: RequestOrigin, budget: Budget) -> bool:
        """Whether one of the limits is reached; a limit of 0 always is."""
        return any(self._get_account(b.key).spent >= b.limit for b in list_budget_bounds(caller, budget))

    def reserve(
        self, caller: RequestOrigin, budget: Budget, estimate: Decimal, *, force: bool = False
    ) -> Reservation | None:
        """Reserve the estimate; None if it exceeds a limit (unless ``force``)."""
        held = list_budget_bounds(caller, budget)
        accounts = tuple(self._get_account(bound.key) for bound in held)
        for bound, account in zip(held, accounts, strict=True):
            self._log_budget_warning(bound, account)
            over = account.spent >= bound.limit or account.spent + account.reserved + estimate > bound.limit
            if over and not force:
                return None
        for account in accounts:
            account.reserved += estimate
        return Reservation(accounts, estimate)

    async def _load_spending(self, key: Key) -> Decimal:
        what, whose = key
        if what == "conversation":
            return await self._spending.spent_conversation(whose)
        return await self._spending.spent_today(whose or None)

    def _get_account(self, key: Key) -> Account:
        today, account = self._today(), self._accounts.get(key)
        if account is None or (account.day != today and key[0] != "conversation"):
            while len(self._accounts) >= MOST_ACCOUNTS:
                with suppress(StopIteration):
                    del self._accounts[next(iter(self._accounts))]
            account = self._accounts[key] = Account(today)
        return account

    def _log_budget_warning(self, bound: BudgetBound, account: Account) -> None:
        if bound.limit and account.spent >= WARN_SHARE * bound.limit and not account.warned:
            account.warned = True
            what, whose = bound.key
            log.warning("budget nearly spent", of=what, whose=whose, spent=str(account.spent), limit=str(bound.limit))


def list_budget_bounds(caller: RequestOrigin, budget: Budget) -> list[BudgetBound]:
    """Return the limits that apply to a caller."""
    found = []
    if budget.tenant_per_day is not None:
        found.append(BudgetBound(("tenant", caller.tenant_id), budget.tenant_per_day))
    if budget.day is not None:
        found.append(BudgetBound(("day", ""), budget.day))
    if budget.per_conversation is not None and caller.conversation_id:
        found.append(BudgetBound(("conversation", caller.conversation_id), budget.per_conversation))
    return found
