"""A budget holds, also when many ask at once."""

import asyncio
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from core.db import Database
from core.errors import NoProviderLeft
from core.llm.types import RequestOrigin, Usage
from tests.core.llm.scripted import Say, ask, bench

COST = Decimal("0.00014")
"""Of a thousand tokens in and a hundred out with the cheapest model."""


@pytest.mark.parametrize("bound", ["tenant_per_day", "day", "per_conversation"])
async def test_a_spent_budget_leaves_the_extract(sqlite: Database, bound):
    b = bench(sqlite)
    b.rules(budget={bound: str(COST)})
    asked = [await b.router.complete(ask(f"Question {n}?", extract="Extract.", max_output_tokens=50)) for n in range(3)]
    assert [completion.served.provider for completion in asked] == ["a", "extract", "extract"]
    assert b.router.decide(ask(extract="x")).use == "extract"
    assert b.router.decide(ask()).models == ()


async def test_nothing_means_nothing_from_the_start(sqlite: Database):
    b = bench(sqlite)
    b.rules(budget={"tenant_per_day": 0, "at_limit": "cheapest"})
    assert (await b.router.complete(ask(extract="E."))).served.model == "extract"
    with pytest.raises(NoProviderLeft):
        await b.router.complete(ask())
    assert not b.scripted.asked


async def test_at_the_limit_the_cheapest_may_go_on(sqlite: Database):
    b = bench(sqlite)
    rules = [{"name": "approved", "when": {"approved": True}, "use": "none"}, {"name": "all", "use": "reasoning"}]
    b.rules(rules=rules, budget={"tenant_per_day": "0.001", "at_limit": "cheapest"})
    b.scripted.plan("deep", Say(usage=Usage(1000, 1000)))
    first = await b.router.complete(ask("One?", max_output_tokens=10))
    second = await b.router.complete(ask("Two?", max_output_tokens=10))
    assert [first.served.model, second.served.model] == ["b/deep", "a/cheap"]


async def test_many_at_once_do_not_overspend(sqlite: Database):
    b = bench(sqlite)
    b.rules(budget={"tenant_per_day": str(COST * 10)})
    b.scripted.always["cheap"] = Say(wait=0.02)
    long = "word " * 800  # the estimate is as high as the real cost
    many = [ask(f"Question {n}? {long}", extract="E.", max_output_tokens=100) for n in range(40)]
    await asyncio.gather(*(b.router.complete(request) for request in many))
    spent = sum(row.cost for row in await b.rows())
    assert COST * 9 <= spent <= COST * 10


async def test_spending_is_known_after_a_restart(sqlite: Database):
    b = bench(sqlite)
    b.rules(budget={"tenant_per_day": str(COST)})
    await b.router.complete(ask(max_output_tokens=50))
    await b.router.close()
    again = bench(sqlite)
    completion = await again.router.complete(ask("Other?", extract="E."))
    assert completion.served.model == "extract"


async def test_a_warning_comes_once_at_eighty_percent(sqlite: Database):
    b = bench(sqlite)
    b.rules(budget={"tenant_per_day": str(COST * 5)})
    with capture_logs() as logs:
        for n in range(8):
            await b.router.complete(ask(f"{n}?", extract="E.", max_output_tokens=20))
    assert len([entry for entry in logs if entry["event"] == "budget nearly spent"]) == 1


async def test_other_tenants_have_their_own(sqlite: Database):
    b = bench(sqlite)
    b.rules(budget={"tenant_per_day": 0})
    assert (await b.router.complete(ask(caller=RequestOrigin("other")))).served.provider == "a"
