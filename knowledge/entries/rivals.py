"""Detection of contradicting answers, and of entries that compete for the same question."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from knowledge.text.facts import MEASURE, extract_facts, extract_measures, is_content, stem_token
from knowledge.text.features import has_contradiction
from knowledge.types import Entry, Question

_CLOCK = re.compile(
    r"(?<![\d.,:])(?P<hour>\d{1,2})(?:[.:](?P<minute>\d{2}))?\s*(?P<half>[ap])\.?m\b|(?<![\d.,:])(?P<h>\d{1,2}):(?P<m>\d{2})(?![\d:])",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"(?<![\w.,:/-])(\d+)\s+([^\W\d_]{3,})")
_CLOCK_UNIT = "clock"


@dataclass(frozen=True)
class Rivals:
    """Two entries that answer each other's question and state different things."""

    question: str
    entry_ids: tuple[str, str]


class FindsRival(Protocol):
    """Finds pairs of entries that would both be sent as certain answers but state different figures."""

    def rivals(self, question: Question) -> tuple[Entry, Entry] | None:
        """Return the two likeliest entries, or None if there is no such pair.

        Raises:
            KnowledgeUnavailable: The index cannot be reached.
        """


def answers_disagree(one: str, other: str) -> bool:
    """Whether two answers contradict each other by numbers, by a "not" on one side only, or by opposites."""
    a, b = extract_facts(one), extract_facts(other)
    apart = bool(a.numbers and b.numbers) and not (a.numbers <= b.numbers or b.numbers <= a.numbers)
    return apart or a.negated != b.negated or has_contradiction(one, other)


def differ_in_figures(one: str, other: str) -> bool:
    """Whether both give figures of the same unit, or times of day, with none in common."""
    a, b = extract_figures(one), extract_figures(other)
    return any(a[unit].isdisjoint(b[unit]) for unit in a.keys() & b.keys())


def extract_figures(text: str) -> dict[str, set[str]]:
    """Map units, counted things and times to their amounts: {"day": {"3", "5"}, "book": {"10"}, "clock": {"9:00"}}."""
    text = unicodedata.normalize("NFKC", text)
    found: dict[str, set[str]] = defaultdict(set)
    for measure in extract_measures(text):
        amount, _, unit = measure.partition(" ")
        found[unit].add(amount)
    for match in _CLOCK.finditer(text):
        found[_CLOCK_UNIT].add(_format_clock_time(match))
    for amount, thing in _COUNTED.findall(MEASURE.sub(" ", text)):
        if is_content(thing):
            found.setdefault(stem_token(thing), set()).add(amount)
    return dict(found)


def find_rivals(
    finder: FindsRival,
    tenant_id: str,
    questions: Sequence[tuple[str, frozenset[str]]],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Rivals]:
    """Find entries that contradict the entry to which a question belongs; ``questions`` pairs each text with its entries.

    A pair counts only if each of the two would be sent as certain for a question of the other: figures for domestic and
    international delivery differ as well, but only one of them answers the question.

    Raises:
        KnowledgeUnavailable: The index cannot be reached.
    """
    found: dict[frozenset[str], Rivals] = {}
    for number, (text, own) in enumerate(questions, 1):
        pair = finder.rivals(Question(tenant_id, text))
        if pair and {one.id for one in pair} & own:
            ids = frozenset(one.id for one in pair)
            other = next((one for one in pair if one.id not in own), None)
            if other and ids not in found and _answers_both(finder, tenant_id, other, ids):
                found[ids] = Rivals(text, (pair[0].id, pair[1].id))
        progress(number, len(questions))
    return list(found.values())


def _answers_both(finder: FindsRival, tenant_id: str, entry: Entry, ids: frozenset[str]) -> bool:
    pair = finder.rivals(Question(tenant_id, entry.own_words[0]))
    return pair is not None and frozenset(one.id for one in pair) == ids


def _format_clock_time(match: re.Match[str]) -> str:
    if match["h"]:
        return f"{int(match['h'])}:{match['m']}"
    noon = 12
    hour = int(match["hour"]) % noon + (noon if match["half"].lower() == "p" else 0)
    return f"{hour}:{match['minute'] or '00'}"
