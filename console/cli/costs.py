"""`rejoinder costs`: the costs of model calls."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, cast

import typer

from console.cli.database import opened
from console.cli.options import JsonOption, print_json
from console.cli.tables import print_table
from core.errors import InvalidInput

if TYPE_CHECKING:
    from core.llm.summaries import By, UsageRow

BY = ("model", "day", "tenant", "route")
FORMATS = ["%Y-%m-%d"]


def costs(
    by: Annotated[str, typer.Option(help=f"What to sum by: {', '.join(BY)}.")] = "model",
    start: Annotated[
        datetime | None, typer.Option("--from", formats=FORMATS, help="First day (UTC); the first of this month.")
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=FORMATS, help="Last day (UTC); today.")] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Only this tenant; all where none is named.")] = None,
    as_json: JsonOption = False,
) -> None:
    """What the calls to language models cost, from the ledger; days are UTC."""
    from core.llm.summaries import summarise_usage  # noqa: PLC0415

    if by not in BY:
        raise InvalidInput(f"--by is one of {', '.join(BY)}, not {by!r}.")
    today = datetime.now(UTC).date()
    first, last = start.date() if start else today.replace(day=1), end.date() if end else today
    if first > last:
        raise InvalidInput(f"--from ({first}) lies after --to ({last}).")
    with opened() as (_, database, _tenant), database.session() as session:
        rows = summarise_usage(session, cast("By", by), first, last, tenant)
    if as_json:
        print_json([asdict(row) for row in rows])
    elif rows:
        _print_costs(by, rows)
    else:
        print(f"No calls from {first} to {last}.")


def _print_costs(by: str, rows: list[UsageRow]) -> None:
    columns = (by, "calls", "failed", "cached", "moved", "in", "out", "cost")
    lines = [
        (
            r.name,
            r.calls,
            r.failures,
            r.cache_hits,
            r.failovers,
            r.input_tokens,
            r.output_tokens,
            f"{r.cost:.6f} {r.currency}",
        )
        for r in rows
    ]
    print_table(columns, lines, right=columns[1:])
    totals: dict[str, Decimal] = {}
    for row in rows:
        totals[row.currency] = totals.get(row.currency, Decimal(0)) + row.cost
    print("in, out: tokens; moved: took over from a model that failed; cached: answers given again at no cost")
    print("total " + ", ".join(f"{cost:.6f} {currency}" for currency, cost in totals.items()))
    if unpriced := sum(row.unpriced for row in rows):
        print(f"{unpriced} calls are of models without a price in models.yml and count nothing here.")
