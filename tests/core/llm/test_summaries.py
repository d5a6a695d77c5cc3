"""The ledger summed up: exact, again and again the same, and nothing is deleted that was not summed up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from core.db import Database
from core.db.models import LlmCall, LlmDay, LlmHealth
from core.llm.summaries import clean_up, summarise_day, summarise_hour, summarise_missing, summarise_usage

DAY = date(2026, 3, 10)
TODAY = date(2026, 3, 12)


def call(day: date = DAY, hour: int = 9, **changes: Any) -> LlmCall:
    at = datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)
    defaults = {
        "tenant_id": "shop",
        "provider": "openai",
        "model": "openai/small",
        "route": "simple",
        "success": True,
        "input_tokens": 1000,
        "output_tokens": 50,
        "cost": Decimal("0.000123456789"),
        "latency_ms": 100.0,
        "created_at": at,
    }
    return LlmCall(**defaults | changes)


def fill(database: Database, *calls: LlmCall) -> None:
    with database.session() as session:
        session.add_all(calls)


def test_a_day_is_summed_up_exactly_by_tenant_and_model(database: Database) -> None:
    fill(
        database,
        *(call(latency_ms=float(n)) for n in range(1, 101)),
        call(success=False, error_kind="timeout", cost=Decimal(0), latency_ms=30_000.0),
        call(cache_hit=True, cost=Decimal(0), route="complex"),
        call(model="openai/big", cost=None, failover_from="openai/small"),
        call(tenant_id="other"),
        call(DAY + timedelta(days=1)),
    )
    with database.session() as session:
        assert summarise_day(session, DAY) == 3
        assert summarise_day(session, DAY) == 3
    with database.session() as session:
        small = session.scalar(select(LlmDay).filter_by(tenant_id="shop", model="openai/small"))
        assert (small.calls, small.successes, small.failures, small.cache_hits) == (101, 100, 1, 1)
        assert small.cost == 100 * Decimal("0.000123456789")
        assert (small.latency_p50_ms, small.latency_p99_ms) == (50.5, 99.0)
        assert small.routes["simple"]["calls"] == 101
        big = session.scalar(select(LlmDay).filter_by(model="openai/big"))
        assert (big.unpriced, big.failovers) == (1, 1)
        assert session.scalar(select(func.count()).select_from(LlmDay)) == 3


def test_missed_days_are_caught_up_and_today_is_not(sqlite: Database) -> None:
    fill(sqlite, call(DAY), call(DAY + timedelta(days=1)), call(TODAY))
    assert summarise_missing(sqlite, TODAY) == [DAY, DAY + timedelta(days=1)]
    assert summarise_missing(sqlite, TODAY) == [TODAY - timedelta(days=1)], "late rows of yesterday count too"


def test_a_day_whose_calls_are_gone_keeps_its_summary(sqlite: Database) -> None:
    fill(sqlite, call(DAY), call(TODAY))
    summarise_missing(sqlite, TODAY)
    assert clean_up(sqlite, TODAY, keep_days=1) == 1
    with sqlite.session() as session:
        assert summarise_day(session, DAY) == 0
        assert [row.calls for row in summarise_usage(session, "day", DAY, DAY)] == [1]


def test_old_calls_go_once_their_day_is_summed_up(database: Database) -> None:
    fill(database, call(DAY), call(DAY + timedelta(days=1)), call(TODAY))
    assert clean_up(database, TODAY, keep_days=1) == 0, "not summed up yet"
    summarise_missing(database, TODAY)
    assert clean_up(database, TODAY, keep_days=1) == 1
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(LlmCall)) == 2
        (row,) = summarise_usage(session, "model", DAY, TODAY)
        assert row.calls == 3


def test_usage_is_the_same_before_and_after_the_summary(database: Database) -> None:
    fill(database, call(), call(route="complex", model="openai/big"), call(DAY + timedelta(days=1), tenant_id="other"))
    for by in ("model", "day", "tenant", "route"):
        with database.session() as session:
            before = summarise_usage(session, by, DAY, TODAY)
        summarise_missing(database, TODAY)
        with database.session() as session:
            assert summarise_usage(session, by, DAY, TODAY) == before
            assert sum(row.cost for row in before) == 3 * Decimal("0.000123456789")
    assert [row.name for row in before] == ["simple", "complex"]


def test_usage_of_one_tenant_and_of_some_days(sqlite: Database) -> None:
    fill(sqlite, call(), call(tenant_id="other"), call(DAY + timedelta(days=1)))
    with sqlite.session() as session:
        assert [row.calls for row in summarise_usage(session, "tenant", DAY, DAY)] == [1, 1]
        assert [row.name for row in summarise_usage(session, "day", DAY, TODAY, "shop")] == ["2026-03-10", "2026-03-11"]


def test_an_hour_of_health_over_all_tenants(database: Database) -> None:
    fill(
        database,
        call(hour=9),
        call(hour=9, tenant_id="other", success=False, error_kind="server"),
        call(hour=10),
    )
    with database.session() as session:
        hour = datetime(2026, 3, 10, 9, tzinfo=UTC)
        assert summarise_hour(session, hour + timedelta(minutes=59)) == 1
        assert summarise_hour(session, hour) == 1
    with database.session() as session:
        (row,) = session.scalars(select(LlmHealth))
        assert (row.tenant_id, row.hour, row.calls, row.failures, row.errors) == ("*", hour, 2, 1, {"server": 1})
