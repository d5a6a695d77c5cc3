"""Where the section that answers stands among the candidates."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.answers.score import Case, facts_met, plain
from knowledge.types import Entry

FIRST = (1, 3, 5, 12)
SHORTEST_PIECE = 40
"""Characters of a quote from which a part of it, cut off by a section's end, is enough."""


def holds(entry: Entry, case: Case) -> bool:
    """Does the entry hold what answers the question: its quote, or the greater part of that together with the facts?"""
    text, quote = _letters(_text(entry)), _letters(case.quote)
    if not quote:
        return False
    if quote in text:
        return True
    half = quote[: max(SHORTEST_PIECE, len(quote) // 2)]
    return half in text and facts_met(case, _text(entry))[0] == len(case.facts)


def place(entries: Sequence[Entry], case: Case) -> int | None:
    """1 for the first; None where none of them holds it."""
    return next((number for number, entry in enumerate(entries, start=1) if holds(entry, case)), None)


def shares(places: Sequence[int | None]) -> dict[str, float]:
    """In how many percent it is among the first one, three, ..."""
    total = max(len(places), 1)
    return {f"first {n} %": 100 * sum(p is not None and p <= n for p in places) / total for n in FIRST}


def _text(entry: Entry) -> str:
    return "\n".join([entry.title or "", *entry.questions, entry.answer])


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", " ", plain(text).lower()).strip()
