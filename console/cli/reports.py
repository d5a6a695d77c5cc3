"""Printed report of an import."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from console.cli import disputes, knowledge_check
from console.cli.options import print_json
from console.cli.tables import print_table

if TYPE_CHECKING:
    from knowledge.answers.coverage import Coverage
    from knowledge.imports.importer import Report

COUNTS = ("documents", "added", "changed", "unchanged", "retired")
MOST_LINES = 30


def show(reports: Sequence[Report], *, indexed: bool, as_json: bool, checked: Coverage | None = None) -> None:
    """Print the counts of each source, and list what failed, was skipped, or contradicts."""
    if as_json:
        check = knowledge_check.describe(checked) if checked else None
        print_json({"origins": [_describe_report(report) for report in reports], "indexed": indexed, "check": check})
    else:
        rows = [
            (
                report.name or report.origin,
                *(getattr(report, column) for column in COUNTS),
                len(report.failed),
                len(report.passed_over),
            )
            for report in reports
        ]
        columns = ("source", *COUNTS, "failed", "passed over")
        print_table(columns, rows, right=columns[1:])
        for report in reports:
            _show_changes(report)
            disputes.show(report.contradictions)
        if checked:
            print(knowledge_check.summary_of(checked, [report.name for report in reports if report.name]))
    _print_lines("failed", [f"{one.uri}: {one.reason}" for report in reports for one in report.failed])
    _print_lines("passed over", [f"{one.uri}: {one.reason}" for report in reports for one in report.passed_over])


def _show_changes(report: Report) -> None:
    if report.renamed_from:
        print(f"{report.renamed_from!r} is called {report.name!r} from now on.")
    if report.moved_from:
        print(f"{report.name!r} was imported from {report.moved_from} before; it is the same source.")
    if report.gone:
        print(
            f"{report.gone} {'document is' if report.gone == 1 else 'documents are'} no longer in {report.name!r}; what they said was retired."
        )
    if report.incomplete:
        print(f"Nothing of {report.name!r} was retired, since not all of its documents could be listed.")


def _print_lines(what: str, lines: Sequence[str]) -> None:
    for line in lines[:MOST_LINES]:
        print(f"{what}: {line}", file=sys.stderr)
    if len(lines) > MOST_LINES:
        print(f"{what}: and {len(lines) - MOST_LINES} more (--json lists all)", file=sys.stderr)


def _describe_report(report: Report) -> dict[str, Any]:
    return {**asdict(report), "contradictions": disputes.describe(report.contradictions)}
