"""How often each entry was reused, how often wrongly, and what it is worth beside the askings it was held back from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import ConversationAnalysis, EntryQuestion, InteractionFeedback, ReuseObservation, Turn

Z = 1.96
"""95 %"""
HELPFUL = 0.5
"""Implicit score from which an answer without a thumb counts as helpful."""


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval (Wilson); ``value`` is None where nothing was counted."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """The share itself."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """What it may be."""
        if not self.of:
            return 0.0, 1.0
        share, n = self.count / self.of, self.of
        middle, spread = share + Z**2 / (2 * n), Z * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
        low, high = (middle - spread) / (1 + Z**2 / n), (middle + spread) / (1 + Z**2 / n)
        return max(0.0, low), min(1.0, high)


@dataclass(frozen=True)
class Lift:
    """How much better it went with the answer than without, with the 95 % interval of the difference (Newcombe)."""

    reused: Share
    held_out: Share

    @property
    def value(self) -> float | None:
        """None where one side has nothing."""
        with_it, without = self.reused.value, self.held_out.value
        return None if with_it is None or without is None else with_it - without

    @property
    def interval(self) -> tuple[float, float]:
        """What it may be."""
        value = self.value
        if value is None:
            return -1.0, 1.0
        (low, high), (low_, high_) = self.reused.interval, self.held_out.interval
        a, b = self.reused.value or 0.0, self.held_out.value or 0.0
        return value - sqrt((a - low) ** 2 + (high_ - b) ** 2), value + sqrt((high - a) ** 2 + (b - low_) ** 2)


@dataclass(frozen=True)
class EntryReuse:
    """One entry's reuse for new phrasings."""

    entry_id: str
    question: str
    reused: int
    near: int
    """Askings that stayed below its bound."""
    held_out: int
    error: Share
    """Wrong among the reused that people judged."""
    helpful: Lift
    """By thumb, else by implicit score."""
    resolved: Lift
    """Conversations that were analysed as resolved."""


@dataclass
class _Counts:
    reused: int = 0
    near: int = 0
    held_out: int = 0
    judged: int = 0
    wrong: int = 0


def by_entry(session: Session, tenant_id: str) -> list[EntryReuse]:
    """Every entry that was observed, the most reused first."""
    observations = list(session.scalars(select(ReuseObservation).filter_by(tenant_id=tenant_id)))
    helpful, resolved = _helpful(session, tenant_id), _resolved(session, tenant_id)
    counts: dict[str, _Counts] = defaultdict(_Counts)
    outcomes: dict[tuple[str, bool], list[str | None]] = defaultdict(list)
    for row in observations:
        count, judged = counts[row.entry_id], row.correct is not None and row.judged_by != "model"
        count.reused += row.reused
        count.held_out += row.held_out
        count.near += not (row.reused or row.held_out)
        count.judged += row.reused and judged
        count.wrong += row.reused and judged and not row.correct
        if row.reused or row.held_out:
            outcomes[row.entry_id, row.held_out].append(row.turn_id)
    names = _names(session, tenant_id, counts)
    found = [
        EntryReuse(
            entry_id,
            names.get(entry_id, ""),
            count.reused,
            count.near,
            count.held_out,
            Share(count.wrong, count.judged),
            _lift(helpful, outcomes[entry_id, False], outcomes[entry_id, True]),
            _lift(resolved, outcomes[entry_id, False], outcomes[entry_id, True]),
        )
        for entry_id, count in counts.items()
    ]
    return sorted(found, key=lambda each: (-each.reused, each.entry_id))


def _lift(good: dict[str, bool], reused: Iterable[str | None], held_out: Iterable[str | None]) -> Lift:
    def share(turns: Iterable[str | None]) -> Share:
        known = [good[turn] for turn in turns if turn in good]
        return Share(sum(known), len(known))

    return Lift(share(reused), share(held_out))


def _helpful(session: Session, tenant_id: str) -> dict[str, bool]:
    row = InteractionFeedback
    rows = session.execute(select(row.turn_id, row.helpful, row.implicit_score).where(row.tenant_id == tenant_id))
    told = {turn: (score >= HELPFUL if thumb is None and score is not None else thumb) for turn, thumb, score in rows}
    return {turn: bool(good) for turn, good in told.items() if good is not None}


def _resolved(session: Session, tenant_id: str) -> dict[str, bool]:
    row = ConversationAnalysis
    query = (
        select(ReuseObservation.turn_id, row.outcome)
        .join(Turn, Turn.id == ReuseObservation.turn_id)
        .join(row, row.conversation_id == Turn.conversation_id)
        .where(ReuseObservation.tenant_id == tenant_id)
    )
    return {turn: outcome == "resolved" for turn, outcome in session.execute(query) if turn}


def _names(session: Session, tenant_id: str, entries: Iterable[str]) -> dict[str, str]:
    row = EntryQuestion
    query = select(row.entry_id, row.text).where(
        row.tenant_id == tenant_id, row.position == 0, row.entry_id.in_(list(entries))
    )
    return dict(session.execute(query).all())
