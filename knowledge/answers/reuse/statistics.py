"""Reuse statistics per entry: how often it was reused, how often wrongly, and its lift over the holdout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import ConversationAnalysis, EntryQuestion, InteractionFeedback, ReuseObservation, Turn
from core.proportions import Difference, Share

HELPFUL = 0.5
"""Minimum implicit score for an answer without a rating to count as helpful."""


@dataclass(frozen=True)
class EntryReuse:
    """Reuse of one entry for new phrasings."""

    entry_id: str
    question: str
    reused: int
    near: int
    """Uses that stayed below its bound."""
    held_out: int
    error: Share
    """Share of wrong answers among the reuses judged by people."""
    helpful: Difference
    """Reused compared with held out, by rating, else by implicit score."""
    resolved: Difference
    """The same for conversations analysed as resolved."""


@dataclass
class _Counts:
    reused: int = 0
    near: int = 0
    held_out: int = 0
    judged: int = 0
    wrong: int = 0


def by_entry(session: Session, tenant_id: str) -> list[EntryReuse]:
    """Return the statistics of every observed entry, most reused first."""
    row = ReuseObservation
    columns = (row.entry_id, row.turn_id, row.reused, row.held_out, row.correct, row.judged_by)
    observations = session.execute(select(*columns).where(row.tenant_id == tenant_id))
    helpful, resolved = _load_turn_ratings(session, tenant_id), _load_turn_outcomes(session, tenant_id)
    counts: dict[str, _Counts] = defaultdict(_Counts)
    outcomes: dict[tuple[str, bool], list[str | None]] = defaultdict(list)
    for seen in observations:
        count, judged = counts[seen.entry_id], seen.correct is not None and seen.judged_by != "model"
        count.reused += seen.reused
        count.held_out += seen.held_out
        count.near += not (seen.reused or seen.held_out)
        count.judged += seen.reused and judged
        count.wrong += seen.reused and judged and not seen.correct
        if seen.reused or seen.held_out:
            outcomes[seen.entry_id, seen.held_out].append(seen.turn_id)
    names = _load_entry_names(session, tenant_id, counts)
    found = [
        EntryReuse(
            entry_id,
            names.get(entry_id, ""),
            count.reused,
            count.near,
            count.held_out,
            Share(count.wrong, count.judged),
            _compute_lift(helpful, outcomes[entry_id, False], outcomes[entry_id, True]),
            _compute_lift(resolved, outcomes[entry_id, False], outcomes[entry_id, True]),
        )
        for entry_id, count in counts.items()
    ]
    return sorted(found, key=lambda each: (-each.reused, each.entry_id))


def merge_entry_reuse(found: Iterable[EntryReuse]) -> EntryReuse:
    """Merge all entries into one; both sides stay comparable since the same share of each entry is held out."""
    every = list(found)

    def sum_shares(shares: Iterable[Share]) -> Share:
        known = list(shares)
        return Share(sum(one.count for one in known), sum(one.of for one in known))

    def sum_differences(differences: Iterable[Difference]) -> Difference:
        known = list(differences)
        return Difference(sum_shares(one.share for one in known), sum_shares(one.against for one in known))

    return EntryReuse(
        "",
        "",
        sum(each.reused for each in every),
        sum(each.near for each in every),
        sum(each.held_out for each in every),
        sum_shares(each.error for each in every),
        sum_differences(each.helpful for each in every),
        sum_differences(each.resolved for each in every),
    )


def _compute_lift(good: dict[str, bool], reused: Iterable[str | None], held_out: Iterable[str | None]) -> Difference:
    def compute_share(turns: Iterable[str | None]) -> Share:
        known = [good[turn] for turn in turns if turn in good]
        return Share(sum(known), len(known))

    return Difference(compute_share(reused), compute_share(held_out))


def _load_turn_ratings(session: Session, tenant_id: str) -> dict[str, bool]:
    row = InteractionFeedback
    rows = session.execute(select(row.turn_id, row.helpful, row.implicit_score).where(row.tenant_id == tenant_id))
    told = {turn: (score >= HELPFUL if thumb is None and score is not None else thumb) for turn, thumb, score in rows}
    return {turn: bool(good) for turn, good in told.items() if good is not None}


def _load_turn_outcomes(session: Session, tenant_id: str) -> dict[str, bool]:
    row = ConversationAnalysis
    query = (
        select(ReuseObservation.turn_id, row.outcome)
        .join(Turn, Turn.id == ReuseObservation.turn_id)
        .join(row, row.conversation_id == Turn.conversation_id)
        .where(ReuseObservation.tenant_id == tenant_id)
    )
    return {turn: outcome == "resolved" for turn, outcome in session.execute(query) if turn}


def _load_entry_names(session: Session, tenant_id: str, entries: Iterable[str]) -> dict[str, str]:
    row = EntryQuestion
    query = select(row.entry_id, row.text).where(
        row.tenant_id == tenant_id, row.position == 0, row.entry_id.in_(list(entries))
    )
    return dict(session.execute(query).all())
