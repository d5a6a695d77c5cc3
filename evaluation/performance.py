"""Performance figures of the bot, counted per completed day and aggregated by day, week or month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import AuditEvent, HumanCorrection, InteractionFeedback, PerformanceDay, Turn, get_current_time
from core.proportions import Difference, Share

By = Literal["day", "week", "month"]
Figures = dict[str, float]
SETTLES_IN = 14
"""Days after which feedback and corrections hardly change a day's figures."""
COUNTED = (
    "conversations", "turns", "answered", "clarified", "unknown", "handoff", "action", "failed", "wrong", "helpful",
    "not_helpful", "reused", "seconds", "timed", "cost", "corrections", "approved_entries",
)  # fmt: skip
"""Summed figures. ``wrong``: answered, but rated down or corrected; ``reused``: an approved answer was used verbatim."""
ALL = ""
"""The channel name of rows that cover all channels."""
COUNTED_AS = {"suggested": "answered"}
"""A suggested answer counts as answered."""


def summarise_missing(database: Database, today: date) -> int:
    """Count missing days before ``today``, recount the most recent ones, and return how many were counted."""
    with database.session() as session:
        tenants = session.execute(select(Turn.tenant_id, func.min(Turn.created_at)).group_by(Turn.tenant_id)).all()
        last: dict[str, date] = dict(
            session.execute(
                select(PerformanceDay.tenant_id, func.max(PerformanceDay.day)).group_by(PerformanceDay.tenant_id)
            ).all()
        )
    days = 0
    for tenant_id, first in tenants:
        counted = last.get(tenant_id)
        start = min(counted, today) - timedelta(days=SETTLES_IN) if counted else first.date()
        for day in _list_days(max(start, first.date()), today - timedelta(days=1)):
            with database.session() as session:
                summarise_day(session, tenant_id, day)
            days += 1
    return days


def summarise_day(session: Session, tenant_id: str, day: date) -> None:
    """Store the figures of a day, one row per channel and one for all channels."""
    counted = count_day(session, tenant_id, day)
    known = {
        row.channel: row for row in session.scalars(select(PerformanceDay).filter_by(tenant_id=tenant_id, day=day))
    }
    for channel, figures in counted.items():
        if channel in known:
            known[channel].figures = figures
        else:
            session.add(PerformanceDay(tenant_id=tenant_id, day=day, channel=channel, figures=figures))


def count_day(session: Session, tenant_id: str, day: date) -> dict[str, Figures]:
    """Compute the figures of a day by channel from the stored turns."""
    start = datetime.combine(day, time(), UTC)
    end = start + timedelta(days=1)
    that_day = (Turn.tenant_id == tenant_id, Turn.created_at >= start, Turn.created_at < end)
    found: dict[str, Figures] = defaultdict(lambda: dict.fromkeys(COUNTED, 0))
    _count_turns(session, that_day, found)
    _count_judgements(session, that_day, found)
    total: Figures = {name: sum(figures[name] for figures in found.values()) for name in COUNTED}
    corrected = select(func.count()).where(
        HumanCorrection.tenant_id == tenant_id,
        HumanCorrection.status == "approved",
        HumanCorrection.decided_at >= start,
        HumanCorrection.decided_at < end,
    )
    approved = select(func.count()).where(
        AuditEvent.tenant_id == tenant_id,
        AuditEvent.kind == "review",
        AuditEvent.action.in_(["approved", "merged"]),
        AuditEvent.created_at >= start,
        AuditEvent.created_at < end,
    )
    total["corrections"], total["approved_entries"] = session.scalar(corrected) or 0, session.scalar(approved) or 0
    return {**found, ALL: total}


def list_periods(
    session: Session, tenant_id: str, first: date, last: date, *, by: By = "day", channel: str = ALL
) -> list[dict[str, Any]]:
    """Return figures and rates per period, oldest first; days that are not stored yet are counted now, including today."""
    stored = select(PerformanceDay).where(
        PerformanceDay.tenant_id == tenant_id,
        PerformanceDay.channel == channel,
        PerformanceDay.day >= first,
        PerformanceDay.day <= last,
    )
    days: dict[date, Figures] = {row.day: row.figures for row in session.scalars(stored)}
    today = get_current_time().date()
    begun = max([day + timedelta(days=1) for day in days] + [first, today - timedelta(days=SETTLES_IN)])
    for day in _list_days(begun, min(last, today)):
        days[day] = count_day(session, tenant_id, day).get(channel, {})
    periods: dict[date, list[Figures]] = defaultdict(list)
    for day, figures in sorted(days.items()):
        periods[get_period_start(day, by)].append(figures)
    return [{"start": start, **with_rates(sum_figures(parts))} for start, parts in periods.items()]


def compare_periods(session: Session, tenant_id: str, first: date, last: date, channel: str = ALL) -> dict[str, Any]:
    """Compare a period with the previous one of the same length; ``interval`` is the 95 % interval of ``change``, in rates."""
    length = last - first + timedelta(days=1)
    now_, before = (
        _sum_period(session, tenant_id, start, start + length - timedelta(days=1), channel)
        for start in (first, first - length)
    )
    earlier = compute_shares(before)
    changes = {name: Difference(share, earlier[name]) for name, share in compute_shares(now_).items()}
    known = {name: (one.value, one.interval) for name, one in changes.items() if one.value is not None}
    return {
        "first": first,
        "last": last,
        "figures": now_,
        "before": before,
        "change": {name: round(value, 4) for name, (value, _) in known.items()},
        "interval": {name: (round(low, 4), round(high, 4)) for name, (_, (low, high)) in known.items()},
    }


def get_period_start(day: date, by: By) -> date:
    """Return the first day of the period: the Monday of its week, or the first of its month."""
    if by == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if by == "month" else day


def sum_figures(parts: Iterable[Figures]) -> Figures:
    """Return the sums over several days."""
    sums: Figures = dict.fromkeys(COUNTED, 0)
    for figures in parts:
        for name, value in figures.items():
            sums[name] = sums.get(name, 0) + value
    return sums


def compute_shares(figures: Figures) -> dict[str, Share]:
    """Return the rates with their bases: all questions, ratings or answers."""
    questions, thumbs = count_questions(figures), figures["helpful"] + figures["not_helpful"]
    return {
        "right_rate": Share(figures["answered"] - figures["wrong"], questions),
        "unknown_rate": Share(figures["unknown"], questions),
        "handoff_rate": Share(figures["handoff"], questions),
        "helpful_rate": Share(figures["helpful"], thumbs),
        "reused_rate": Share(figures["reused"], figures["answered"]),
    }


def count_questions(figures: Figures) -> float:
    """Return the number of turns in which a question was asked."""
    return figures["answered"] + figures["clarified"] + figures["unknown"] + figures["handoff"]


def with_rates(figures: Figures) -> dict[str, Any]:
    """Return the figures with their rates; a rate without a base is None."""
    rates = {
        name: None if share.value is None else round(share.value, 4) for name, share in compute_shares(figures).items()
    }
    seconds = round(figures["seconds"] / figures["timed"], 2) if figures["timed"] else None
    return {**figures, "questions": count_questions(figures), **rates, "average_seconds": seconds}


def _sum_period(session: Session, tenant_id: str, first: date, last: date, channel: str) -> dict[str, Any]:
    days = list_periods(session, tenant_id, first, last, channel=channel)
    return with_rates(sum_figures({name: day[name] for name in COUNTED} for day in days))


def _count_turns(session: Session, that_day: tuple[Any, ...], found: dict[str, Figures]) -> None:
    groups = select(
        Turn.channel, Turn.outcome, Turn.status, func.count(), func.sum(Turn.total_ms), func.count(Turn.total_ms),
        func.sum(Turn.cost),
    ).where(*that_day).group_by(Turn.channel, Turn.outcome, Turn.status)  # fmt: skip
    for channel, outcome, status, count, ms, timed, cost in session.execute(groups):
        figures = found[channel]
        figures["turns"] += count
        figures["seconds"] += round((ms or 0) / 1000, 3)
        figures["timed"] += timed
        figures["cost"] += float(cost or 0)
        if name := "failed" if status == "failed" else COUNTED_AS.get(outcome or "", outcome):
            figures[name] = figures.get(name, 0) + count
    for name, query in {
        "conversations": select(Turn.channel, func.count(Turn.conversation_id.distinct())),
        "reused": select(Turn.channel, func.count()).where(Turn.written_by == "approved", Turn.outcome == "answered"),
    }.items():
        for channel, count in session.execute(query.where(*that_day).group_by(Turn.channel)):
            found[channel][name] = count


def _count_judgements(session: Session, that_day: tuple[Any, ...], found: dict[str, Figures]) -> None:
    given = InteractionFeedback.helpful
    thumbs = select(Turn.channel, given, func.count()).join(InteractionFeedback, InteractionFeedback.turn_id == Turn.id)
    for channel, helpful, count in session.execute(
        thumbs.where(*that_day, given.is_not(None)).group_by(Turn.channel, given)
    ):
        found[channel]["helpful" if helpful else "not_helpful"] = count
    corrected = (HumanCorrection.turn_id == Turn.id) & (HumanCorrection.status == "approved")
    wrong = (
        select(Turn.channel, func.count(Turn.id.distinct()))
        .outerjoin(InteractionFeedback, InteractionFeedback.turn_id == Turn.id)
        .outerjoin(HumanCorrection, corrected)
        .where(
            *that_day,
            Turn.outcome.in_(("answered", "suggested")),
            or_(given.is_(False), HumanCorrection.id.is_not(None)),
        )
        .group_by(Turn.channel)
    )
    for channel, count in session.execute(wrong):
        found[channel]["wrong"] = count


def _list_days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
