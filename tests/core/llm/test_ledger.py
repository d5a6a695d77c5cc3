"""Every call is written once, whatever the database does."""

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from core.db import Database
from core.db.models import LlmCall
from core.llm.ledger import Ledger
from testing.waiting import soon


def call(cost: str = "0.01", **changes) -> LlmCall:
    given = {"tenant_id": "default", "provider": "a", "model": "a/x", "success": True, "cost": Decimal(cost), **changes}
    return LlmCall(**given)


def count(database: Database) -> int:
    with database.session() as session:
        return session.scalar(select(func.count(LlmCall.id))) or 0


async def test_rows_are_written_in_the_background_and_at_the_end(database: Database):
    ledger = Ledger(database)
    await ledger.start()
    ledger.record(call())
    await soon(lambda: count(database) == 1)
    ledger.record(call(conversation_id="c", complexity_parts={"length": 0.1}))
    await ledger.close()
    assert count(database) == 2
    with database.session() as session:
        row = session.scalars(select(LlmCall).where(LlmCall.conversation_id == "c")).one()
    assert (row.currency, row.complexity_parts, row.cost) == ("USD", {"length": 0.1}, Decimal("0.01"))


async def test_spending_is_exact_and_includes_what_is_not_written_yet(database: Database):
    ledger = Ledger(database)
    for _ in range(10):
        ledger.record(call("0.000000000001", conversation_id="c"))
    ledger.record(call("5", tenant_id="other"))
    ledger.record(LlmCall(tenant_id="default", provider="a", model="a/x", success=False))
    assert await ledger.spent_today("default") == Decimal("0.00000000001")
    assert await ledger.spent_today(None) == Decimal("5.00000000001")
    assert await ledger.spent_conversation("c") == Decimal("0.00000000001")
    assert await ledger.spent_conversation("nobody's") == 0


async def test_a_busy_database_loses_nothing_and_doubles_nothing(sqlite: Database, monkeypatch):
    ledger, run, failing = Ledger(sqlite), sqlite.run, [1, 2]

    async def flaky(work):
        if not failing:
            return await run(work)
        if failing.pop() == 1:
            await run(work)  # written, but the answer is lost
        raise OperationalError("busy", {}, Exception())

    monkeypatch.setattr(sqlite, "run", flaky)
    for _ in range(3):
        ledger.record(call())
    for _ in range(2):
        with pytest.raises(OperationalError):
            await ledger.flush()
    await ledger.close()
    assert count(sqlite) == 3


async def test_many_at_once(sqlite: Database):
    ledger = Ledger(sqlite)
    await ledger.start()

    async def some():
        for _ in range(50):
            ledger.record(call())
            await asyncio.sleep(0)

    await asyncio.gather(*(some() for _ in range(50)))
    await ledger.close()
    assert count(sqlite) == 2500
