"""Contradicting answers: find them by a source's own questions, flag them for review, and print them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from knowledge.answers.coverage import OwnQuestion
    from knowledge.answers.decision import Answering
    from knowledge.entries.contradictions import Contradiction
    from knowledge.services import Knowledge

MOST_CONTRADICTIONS = 10
SIDES_SHOWN = 3
LONGEST_ANSWER = 100


def note(
    knowledge: Knowledge,
    answering: Answering,
    tenant_id: str,
    questions: Sequence[OwnQuestion],
    progress: Callable[[int, int], None],
) -> None:
    """Mark as disputed the entries that state different figures for each other's questions."""
    from knowledge.entries import contradictions  # noqa: PLC0415
    from knowledge.entries.editor import Change, EntryEditor  # noqa: PLC0415
    from knowledge.entries.rivals import find_rivals  # noqa: PLC0415
    from knowledge.index.synchroniser import sync_quietly  # noqa: PLC0415

    asked = [(own.text, own.entries) for own in questions]
    found = find_rivals(answering, tenant_id, asked, progress)
    if not found:
        return
    with knowledge.database.session() as session:
        editor = EntryEditor(session, tenant_id, Change("knowledge check", "states something else"))
        for rivals in found:
            editor.contest(rivals.question, rivals.entry_ids)
    with knowledge.database.session() as session:
        contradictions.sync_contradiction_items(session, tenant_id)
    sync_quietly(knowledge.synchroniser, tenant_id)


def find(knowledge: Knowledge, tenant_id: str, source: str | None) -> list[Contradiction]:
    """Return the contradictions that nobody accepted; with ``source``, only those that involve it."""
    from knowledge.entries import contradictions  # noqa: PLC0415

    with knowledge.database.session() as session:
        return contradictions.find_contradictions(session, tenant_id, source=source)


def show(found: Sequence[Contradiction]) -> None:
    """Print each contradiction with its sides."""
    if not found:
        return
    one = len(found) == 1
    print(
        f"{len(found)} {'question has' if one else 'questions have'} different answers. None of them is sent as sure "
        "until somebody chooses (in the console under Review) or one is changed or retired:"
    )
    for contradiction in found[:MOST_CONTRADICTIONS]:
        about = f" ({contradiction.subject})" if contradiction.subject else ""
        print(f"  {_shorten_answer(contradiction.question)}{about}")
        for side in contradiction.sides[:SIDES_SHOWN]:
            where = f"{side.document} in {side.source!r}" if side.source else "by hand"
            print(f"    {where}: {_shorten_answer(side.answer)}")
        if contradiction.count > SIDES_SHOWN:
            print(f"    and {contradiction.count - SIDES_SHOWN} more")
    if len(found) > MOST_CONTRADICTIONS:
        print(f"  and {len(found) - MOST_CONTRADICTIONS} more questions")


def describe(found: Sequence[Contradiction]) -> list[dict[str, Any]]:
    """Convert the contradictions for JSON output."""
    return [
        {
            "question": one.question,
            "subject": one.subject,
            "language": one.language,
            "count": one.count,
            "sides": [asdict(side) for side in one.sides],
        }
        for one in found
    ]


def _shorten_answer(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_ANSWER else line[: LONGEST_ANSWER - 3] + "..."
