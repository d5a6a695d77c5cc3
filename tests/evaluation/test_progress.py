"""What the dashboard says about getting better, week by week."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from evaluation.performance import COUNTED, with_rates
from evaluation.progress import compute_progress

MONDAY = date(2026, 3, 2)


def weeks(*right: tuple[int, int] | None) -> list[dict[str, object]]:
    """Right of asked for each week from MONDAY on; None: nobody asked."""
    return [
        {"start": MONDAY + timedelta(weeks=n)}
        | with_rates({**dict.fromkeys(COUNTED, 0), "answered": one[0], "unknown": one[1] - one[0]})
        for n, one in enumerate(right)
        if one
    ]


def test_each_week_is_compared_with_the_one_before_and_the_running_one_is_not() -> None:
    found = compute_progress(weeks((50, 100), (70, 100), (3, 4)), MONDAY + timedelta(weeks=2, days=2))
    changes = [week.change and (round(week.change.value or 0, 2), week.change.certain) for week in found.weeks]
    assert changes == [None, (0.2, True), None]
    assert [week.over for week in found.weeks] == [True, True, False]
    assert found.last is not None
    assert found.last.start == MONDAY + timedelta(weeks=1)
    assert found.trend is None


def test_after_a_week_without_questions_there_is_nothing_to_compare_with() -> None:
    found = compute_progress(weeks((50, 100), None, (60, 100), (65, 100)), MONDAY + timedelta(weeks=10))
    assert [week.change is None for week in found.weeks] == [True, True, False]
    assert found.trend is not None
    assert found.trend.value == pytest.approx(0.05, abs=0.003)
    assert all(week.settled for week in found.weeks)


def test_a_week_is_not_settled_while_thumbs_still_come() -> None:
    found = compute_progress(weeks((5, 10), (6, 10), (7, 10)), MONDAY + timedelta(weeks=3))
    assert [week.settled for week in found.weeks] == [True, False, False]


def test_nothing_yet() -> None:
    found = compute_progress([], MONDAY)
    assert (found.weeks, found.trend, found.last) == ([], None, None)
