"""Summaries of the ledger: days by tenant and model, hours by model, and usage reports."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

import numpy as np
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import LlmCall, LlmDay, LlmHealth, get_current_time

By = Literal["model", "day", "tenant", "route"]
EVERYONE = "*"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
BATCH = 5000
"""Rows fetched at once."""


@dataclass(frozen=True)
class UsageRow:
    """Usage under one name: a model's id, a day, a tenant or a routing rule."""

    name: str
    currency: str
    calls: int = 0
    failures: int = 0
    cache_hits: int = 0
    failovers: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0
    """Calls to a model without a price, whose cost is unknown."""


Group = tuple[str, ...]
SUMS: Mapping[str, ColumnElement[Any]] = {
    "calls": func.count().filter(~LlmCall.cache_hit),
    "successes": func.count().filter(~LlmCall.cache_hit, LlmCall.success),
    "failures": func.count().filter(~LlmCall.cache_hit, ~LlmCall.success),
    "cache_hits": func.count().filter(LlmCall.cache_hit),
    "failovers": func.count(LlmCall.failover_from),
    "input_tokens": func.sum(LlmCall.input_tokens),
    "output_tokens": func.sum(LlmCall.output_tokens),
    "cached_tokens": func.sum(LlmCall.cached_tokens),
    "unpriced": func.count().filter(LlmCall.cost.is_(None)),
}
COUNTED = ("calls", "failures", "cache_hits", "failovers", "input_tokens", "output_tokens", "unpriced")
"""Counts in a ``UsageRow``, besides the cost."""


def summarise_day(session: Session, day: date) -> int:
    """Summarise a UTC day, replacing an earlier summary, and return the number of rows.

    A day without calls is left unchanged.
    """
    rows, times = _sum_day_calls(session, day), _collect_latencies(session, *_get_day_bounds(day))
    if not rows:  # its calls may be deleted already
        return 0
    for row in rows:
        latencies = times.get((row.tenant_id, row.provider, row.model))
        row.latency_p50_ms, row.latency_p95_ms, row.latency_p99_ms = _compute_percentiles(latencies, 50, 95, 99)
    session.execute(delete(LlmDay).where(LlmDay.day == day))
    session.add_all(rows)
    return len(rows)


def summarise_missing(database: Database, today: date) -> list[date]:
    """Summarise every day before today that has calls but no summary, and always yesterday, for late rows.

    Uses one transaction per day, because SQLite blocks other writers meanwhile.
    """
    with database.session() as session:
        known = set(session.scalars(select(LlmDay.day).distinct())) - {today - DAY}
        missing = [day for day in _with_calls(session, today) if day not in known]
    done = []
    for day in missing:
        with database.session() as session:
            done += [day] if summarise_day(session, day) else []
    return done


def summarise_hour(session: Session, hour: datetime) -> int:
    """Summarise each model's health in one hour, over all tenants; return the number of rows."""
    start = hour.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    columns = (LlmCall.provider, LlmCall.model, LlmCall.error_kind)
    counted = select(*columns, func.count().label("times")).where(
        ~LlmCall.cache_hit, *_build_time_filter(start, start + HOUR)
    )
    errors: dict[Group, Counter[str]] = defaultdict(Counter)
    for row in session.execute(counted.group_by(*columns)):
        errors[row.provider, row.model][row.error_kind or ""] += row.times
    times: dict[Group, list[float]] = defaultdict(list)
    for (_, provider, model), latencies in _collect_latencies(session, start, start + HOUR).items():
        times[provider, model] += latencies
    session.execute(delete(LlmHealth).where(LlmHealth.hour == start))
    session.add_all(_build_hourly_health(start, group, counts, times[group]) for group, counts in errors.items())
    return len(errors)


def clean_up(database: Database, today: date, keep_days: int) -> int:
    """Delete older single calls of summarised days, with one transaction per day; return how many."""
    before = today - timedelta(days=keep_days)
    with database.session() as session:
        session.execute(delete(LlmHealth).where(LlmHealth.hour < _get_day_bounds(before)[0]))
        known = set(session.scalars(select(LlmDay.day).where(LlmDay.day < before).distinct()))
        old = [day for day in _with_calls(session, before) if day in known]
    deleted = 0
    for day in old:
        with database.session() as session:
            deleted += session.execute(delete(LlmCall).where(*_build_time_filter(*_get_day_bounds(day)))).rowcount  # type: ignore[attr-defined]
    return deleted


def summarise_usage(session: Session, by: By, start: date, end: date, tenant_id: str | None = None) -> list[UsageRow]:
    """Return the usage from ``start`` to ``end`` (UTC days, inclusive), by descending cost; days in order."""
    stored = select(LlmDay).where(LlmDay.day >= start, LlmDay.day <= end)
    days = list(session.scalars(stored))
    known = {row.day for row in days}
    for day in _with_calls(session, min(end, get_current_time().date()) + DAY):
        days += _sum_day_calls(session, day, tenant_id) if day >= start and day not in known else []
    rows: dict[tuple[str, str], UsageRow] = {}
    for row in (row for day in days if tenant_id in {None, day.tenant_id} for row in _build_usage_rows(day, by)):
        key = (row.name, row.currency)
        rows[key] = _add_usage_rows(rows[key], row) if key in rows else row
    if by == "day":
        return sorted(rows.values(), key=lambda row: row.name)
    return sorted(rows.values(), key=lambda row: (-row.cost, row.name))


def _build_usage_rows(day: LlmDay, by: By) -> Iterable[UsageRow]:
    if by == "route":
        for name, route in day.routes.items():
            yield UsageRow(name or "-", day.currency, **{**route, "cost": Decimal(route["cost"])})
        return
    name = {"model": day.model, "day": day.day.isoformat(), "tenant": day.tenant_id}[by]
    yield UsageRow(name, day.currency, cost=day.cost, **{count: getattr(day, count) for count in COUNTED})


def _add_usage_rows(one: UsageRow, other: UsageRow) -> UsageRow:
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in ("cost", *COUNTED)})


def _sum_day_calls(session: Session, day: date, tenant_id: str | None = None) -> list[LlmDay]:
    """Build a day's rows without latencies, not stored."""
    columns = (LlmCall.tenant_id, LlmCall.provider, LlmCall.model, LlmCall.route)
    sums = (column.label(name) for name, column in SUMS.items())
    query = select(*columns, func.max(LlmCall.currency).label("currency"), func.sum(LlmCall.cost).label("cost"), *sums)
    query = query.where(*_build_time_filter(*_get_day_bounds(day))).group_by(*columns)
    rows: dict[Group, LlmDay] = {}
    for found in session.execute(query if tenant_id is None else query.where(LlmCall.tenant_id == tenant_id)):
        key = (found.tenant_id, found.provider, found.model)
        empty = {**dict.fromkeys(SUMS, 0), "cost": Decimal(0), "routes": {}, "currency": found.currency}
        row = rows.setdefault(key, LlmDay(tenant_id=key[0], provider=key[1], model=key[2], day=day, **empty))
        for name in SUMS:
            setattr(row, name, getattr(row, name) + getattr(found, name))
        cost = found.cost or Decimal(0)
        row.cost += cost
        row.routes[found.route] = {"cost": str(cost), **{name: getattr(found, name) for name in COUNTED}}
    return list(rows.values())


def _collect_latencies(session: Session, start: datetime, end: datetime) -> dict[Group, list[float]]:
    """Return the latencies of successful calls, by tenant, provider and model."""
    query = select(LlmCall.tenant_id, LlmCall.provider, LlmCall.model, LlmCall.latency_ms)
    query = query.where(LlmCall.success, ~LlmCall.cache_hit, *_build_time_filter(start, end))
    times: dict[Group, list[float]] = defaultdict(list)
    for tenant_id, provider, model, latency in session.execute(query.execution_options(yield_per=BATCH)):
        times[tenant_id, provider, model].append(latency)
    return times


def _compute_percentiles(latencies: list[float] | None, *percents: int) -> list[float | None]:
    if not latencies:
        return [None for _ in percents]
    return [round(float(value), 1) for value in np.percentile(latencies, percents)]


def _build_hourly_health(hour: datetime, group: Group, counts: Counter[str], latencies: list[float]) -> LlmHealth:
    p50, p95 = _compute_percentiles(latencies, 50, 95)
    errors = {kind: count for kind, count in counts.items() if kind}
    return LlmHealth(
        tenant_id=EVERYONE,
        hour=hour,
        provider=group[0],
        model=group[1],
        calls=counts.total(),
        failures=sum(errors.values()),
        errors=errors,
        latency_p50_ms=p50,
        latency_p95_ms=p95,
    )


def _build_time_filter(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return LlmCall.created_at >= start, LlmCall.created_at < end


def _get_day_bounds(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time(), UTC)
    return start, start + DAY


def _with_calls(session: Session, before: date) -> list[date]:
    """Return every day since the oldest call."""
    first = session.scalar(select(func.min(LlmCall.created_at)))
    return [] if first is None else [first.date() + DAY * n for n in range((before - first.date()).days)]
