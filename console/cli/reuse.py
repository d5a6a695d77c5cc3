"""`rejoinder knowledge reuse`: how often approved answers were reused for new phrasings, and how well."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from console.cli.database import opened
from console.cli.options import JsonOption, TenantOption, print_json
from console.cli.tables import print_table

if TYPE_CHECKING:
    from core.proportions import Difference, Share
    from knowledge.answers.reuse.statistics import EntryReuse

COLUMNS = ("id", "question", "reused", "near", "held out", "judged", "wrong", "error (95 %)", "helpful", "resolved")


def reuse(as_json: JsonOption = False, tenant: TenantOption = None) -> None:
    """Show, for each entry, its reuse, the measured error, and what it is worth beside held-back askings.

    "helpful" and "resolved" are the differences to the askings from which the answer was held back, in percentage points.
    """
    from knowledge.answers.reuse.statistics import by_entry  # noqa: PLC0415

    with opened(tenant) as (_, database, tenant_id), database.session() as session:
        found = by_entry(session, tenant_id)
    if as_json:
        print_json([_describe_reuse(each) for each in found])
    elif found:
        print_table(COLUMNS, [_build_reuse_row(each) for each in found], right=COLUMNS[2:7])
    else:
        print("No approved answer has met a new phrasing yet.")


def _describe_reuse(each: EntryReuse) -> dict[str, Any]:
    error = {"value": each.error.value, "interval": each.error.interval}
    lifts = {name: {"value": lift.value, "interval": lift.interval} for name, lift in _get_lifts(each).items()}
    return asdict(each) | {"error": asdict(each.error) | error} | lifts


def _build_reuse_row(each: EntryReuse) -> tuple[object, ...]:
    lifts = [_format_points(lift) for lift in _get_lifts(each).values()]
    counts = (each.reused, each.near, each.held_out, each.error.of, each.error.count)
    return (each.entry_id, each.question, *counts, _format_percent(each.error), *lifts)


def _get_lifts(each: EntryReuse) -> dict[str, Difference]:
    return {"helpful": each.helpful, "resolved": each.resolved}


def _format_percent(share: Share) -> str | None:
    low, high = share.interval
    return None if share.value is None else f"{share.value:.1%} ({low:.1%} to {high:.1%})"


def _format_points(lift: Difference) -> str | None:
    low, high = lift.interval
    return None if lift.value is None else f"{100 * lift.value:+.0f} ({100 * low:+.0f} to {100 * high:+.0f})"
