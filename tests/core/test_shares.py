"""Small numbers are not taken for more than they are."""

from __future__ import annotations

import random

import pytest

from core.proportions import Difference, Share, fit_trend


def test_a_share_of_nothing_may_be_anything() -> None:
    assert (Share(0, 0).value, Share(0, 0).interval) == (None, (0.0, 1.0))
    low, high = Share(3, 3).interval
    assert 0.4 < low < 0.5
    assert high == pytest.approx(1.0)


def test_the_interval_of_a_difference_is_newcombes() -> None:
    one = Difference(Share(56, 70), Share(48, 80))  # his example: 0.2 (0.0524 to 0.3339)
    assert one.value == pytest.approx(0.2)
    assert one.interval == pytest.approx((0.0524, 0.3339), abs=0.0002)
    assert one.certain
    few = Difference(Share(4, 5), Share(3, 5))
    assert few.value == pytest.approx(0.2)
    assert not few.certain


def test_a_trend_needs_three_points_and_leaves_empty_ones_out() -> None:
    assert fit_trend([Share(5, 10), Share(6, 10)]) is None
    found = fit_trend([Share(50, 100), Share(0, 0), Share(60, 100), Share(65, 100)])
    assert found is not None
    assert found.value == pytest.approx(0.05, abs=0.002)
    assert found.certain


def test_wild_weeks_are_no_trend() -> None:
    calm = fit_trend([Share(500, 1000), Share(510, 1000), Share(520, 1000), Share(530, 1000)])
    wild = fit_trend([Share(500, 1000), Share(600, 1000), Share(430, 1000), Share(570, 1000)])
    assert calm is not None and wild is not None
    assert wild.interval[1] - wild.interval[0] > 3 * (calm.interval[1] - calm.interval[0])
    assert not wild.certain


def test_where_nothing_changes_a_trend_is_seen_seldom() -> None:
    rng = random.Random(7)
    seen = 0
    for _ in range(400):
        found = fit_trend([Share(sum(rng.random() < 0.7 for _ in range(40)), 40) for _ in range(8)])
        seen += found is not None and found.certain
    assert seen / 400 < 0.08
