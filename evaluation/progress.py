"""Track whether the bot improves: week-over-week changes and the trend, with their uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from core.proportions import Difference, Share, Trend, fit_trend
from evaluation.performance import SETTLES_IN, compute_shares

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Week:
    """The figures of a week, compared with the previous week."""

    start: date
    """The Monday of the week."""
    right: Share
    """Share of questions answered correctly."""
    change: Difference | None
    """None if the previous week had no questions, or this week is not over."""
    over: bool
    settled: bool
    """Whether feedback and corrections hardly change the week any more."""


@dataclass(frozen=True)
class Progress:
    """The weeks, oldest first; ``trend`` is the change in share per week over completed weeks (None: fewer than three)."""

    weeks: Sequence[Week]
    trend: Trend | None

    @property
    def last(self) -> Week | None:
        """The last completed week, or None."""
        return next((week for week in reversed(self.weeks) if week.over), None)


def compute_progress(periods: Sequence[dict[str, Any]], today: date) -> Progress:
    """Compute the progress from weekly periods of ``performance.list_periods``."""
    right = {period["start"]: compute_shares(period)["right_rate"] for period in periods if period["questions"]}
    weeks = [_build_week(start, right, today) for start in sorted(right)]
    over = [week.start for week in weeks if week.over]
    every = [over[0] + n * WEEK for n in range((over[-1] - over[0]) // WEEK + 1)] if over else []
    return Progress(weeks, fit_trend([right.get(start, Share(0, 0)) for start in every]))


def _build_week(start: date, right: dict[date, Share], today: date) -> Week:
    over, before = start + WEEK <= today, right.get(start - WEEK)
    change = Difference(right[start], before) if over and before else None
    return Week(start, right[start], change, over, start + WEEK + timedelta(days=SETTLES_IN) <= today)
