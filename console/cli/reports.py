"""What an import did, as it is printed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from console.cli import knowledge_check
from console.cli.options import print_json
from console.cli.tables import print_table

if TYPE_CHECKING:
    from knowledge.contradictions import Contradiction
    from knowledge.coverage import Coverage
    from knowledge.importing import Report

COUNTS = ("documents", "added", "changed", "unchanged", "retired")
MOST_LINES = 30
MOST_CONTRADICTIONS = 10
SIDES_SHOWN = 3
LONGEST_ANSWER = 100


def show(reports: Sequence[Report], *, indexed: bool, as_json: bool, checked: Coverage | None = None) -> None:
    """The counts of each source, and by name what failed, what was passed over and what contradicts."""
    if as_json:
        check = knowledge_check.describe(checked) if checked else None
        print_json({"origins": [_described(report) for report in reports], "indexed": indexed, "check": check})
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
            _show_contradictions(report.contradictions)
        if checked:
            print(knowledge_check.summary_of(checked, [report.name for report in reports if report.name]))
    _say("failed", [f"{one.uri}: {one.reason}" for report in reports for one in report.failed])
    _say("passed over", [f"{one.uri}: {one.reason}" for report in reports for one in report.passed_over])


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


def _show_contradictions(found: Sequence[Contradiction]) -> None:
    if not found:
        return
    one = len(found) == 1
    print(
        f"{len(found)} {'question has' if one else 'questions have'} different answers. None of them is sent as sure "
        "until somebody chooses (in the console under Review) or one is changed or retired:"
    )
    for contradiction in found[:MOST_CONTRADICTIONS]:
        about = f" ({contradiction.subject})" if contradiction.subject else ""
        print(f"  {_cut(contradiction.question)}{about}")
        for side in contradiction.sides[:SIDES_SHOWN]:
            where = f"{side.document} in {side.source!r}" if side.source else "by hand"
            print(f"    {where}: {_cut(side.answer)}")
        if contradiction.count > SIDES_SHOWN:
            print(f"    and {contradiction.count - SIDES_SHOWN} more")
    if len(found) > MOST_CONTRADICTIONS:
        print(f"  and {len(found) - MOST_CONTRADICTIONS} more questions")


def _say(what: str, lines: Sequence[str]) -> None:
    for line in lines[:MOST_LINES]:
        print(f"{what}: {line}", file=sys.stderr)
    if len(lines) > MOST_LINES:
        print(f"{what}: and {len(lines) - MOST_LINES} more (--json lists all)", file=sys.stderr)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_ANSWER else line[: LONGEST_ANSWER - 3] + "..."


def _described(report: Report) -> dict[str, Any]:
    return {**asdict(report), "contradictions": list(_sides(report.contradictions))}


def _sides(found: Iterable[Contradiction]) -> Iterable[dict[str, Any]]:
    for one in found:
        yield {
            "question": one.question,
            "subject": one.subject,
            "language": one.language,
            "count": one.count,
            "sides": [asdict(side) for side in one.sides],
        }
