"""`rejoinder knowledge check`: whether a team's entries answer its own questions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli import disputes
from console.cli.database import opened
from console.cli.options import JsonOption, TenantOption, print_json
from console.cli.progress import Show, progress

if TYPE_CHECKING:
    from knowledge.answers.coverage import Coverage, OwnQuestion
    from knowledge.services import Knowledge

ENOUGH = 0.99
MOST_AFTER_IMPORT = 300
MOST_LINES = 50


def check(
    source: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="As `knowledge sources` lists it; everything without it.")
    ] = None,
    at_least: Annotated[
        float, typer.Option("--at-least", min=0, max=1, help="Exit code 1 where a smaller share is answered.")
    ] = ENOUGH,
    as_json: JsonOption = False,
    tenant: TenantOption = None,
) -> None:
    """Ask a source's own questions, and the headings of its sections, and say which are not answered and why.

    What states other figures than another entry to one of them is listed, waits for review, and is not sent as sure.
    """
    from knowledge.imports import catalogue  # noqa: PLC0415
    from knowledge.services import Knowledge  # noqa: PLC0415

    with opened(tenant) as (settings, database, tenant_id), closing(Knowledge(settings, database)) as knowledge:
        with database.session() as session:
            names = [catalogue.require_source(session, tenant_id, source).name] if source else []
        with progress() as show:
            found = _compute_coverage(knowledge, tenant_id, names, show)
        disputed = disputes.find(knowledge, tenant_id, names[0] if names else None)
    if as_json:
        print_json({**describe(found), "contradictions": disputes.describe(disputed)})
    else:
        _print_coverage(found)
        disputes.show(disputed)
    if found.share is not None and found.share < at_least:
        raise typer.Exit(1)


def check_import(knowledge: Knowledge, tenant_id: str, names: Sequence[str], show: Show) -> Coverage | None:
    """Check what was imported, sampled if it is large; None if there is nothing to ask."""
    found = _compute_coverage(knowledge, tenant_id, names, show, MOST_AFTER_IMPORT) if names else None
    return found if found and found.asked else None


def summary_of(found: Coverage, names: Sequence[str] = ()) -> str:
    """Summarise the check in one line."""
    line = f"{found.answered:,} of {found.asked:,} of your own questions and headings are answered"
    line += f" (these are a sample of all {found.known:,})" if found.known > found.asked else ""
    others = " ".join(["rejoinder knowledge check", *(_quote_name(name) for name in names if len(names) == 1)])
    return f"{line}; `{others}` lists the others." if found.misses else f"{line}."


def describe(found: Coverage) -> dict[str, Any]:
    """Convert the check for JSON output."""
    return {**asdict(found), "share": None if found.share is None else round(found.share, 4)}


def _compute_coverage(
    knowledge: Knowledge, tenant_id: str, names: Sequence[str], show: Show, most: int | None = None
) -> Coverage:
    from knowledge.answers.coverage import Coverage, check_coverage, own_questions, sample_questions  # noqa: PLC0415

    with knowledge.database.session() as session:
        questions, skipped = own_questions(session, tenant_id, names)
    asked: list[OwnQuestion] = questions if most is None else sample_questions(questions, most)
    if not asked:
        return Coverage(0, 0, 0, skipped=skipped)
    answering = knowledge.answering
    disputes.note(knowledge, answering, tenant_id, asked, lambda done, total: show("comparing", done, total, ""))
    found = check_coverage(answering, tenant_id, asked, lambda done, total: show("asking", done, total, ""))
    return replace(found, known=len(questions), skipped=skipped)


def _print_coverage(found: Coverage) -> None:
    if found.share is None:
        print("There are no questions to ask.")
        return
    print(f"{found.answered:,} of {found.asked:,} of your own questions and headings are answered ({found.share:.1%}).")
    for miss in found.misses[:MOST_LINES]:
        where = f" ({miss.document} in {miss.source!r})" if miss.source else ""
        print(f"- {'§ ' if miss.kind == 'heading' else ''}{' '.join(miss.text.split())}{where}\n    {miss.why}")
    if len(found.misses) > MOST_LINES:
        print(f"  and {len(found.misses) - MOST_LINES:,} more (--json lists all)")
    if found.skipped:
        print(f"{found.skipped:,} entries were not asked about: only a conversation makes their questions clear.")


def _quote_name(name: str) -> str:
    return f'"{name}"' if " " in name else name
