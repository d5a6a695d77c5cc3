"""Shares of possibly small counts: estimates, confidence intervals, differences and trends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

Z = 1.96
"""z value of a 95 % interval."""
LEAST_POINTS = 3
"""Two points always lie on a line."""
Interval = tuple[float, float]


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval (Wilson); ``value`` is None when nothing was counted."""

    count: float
    of: float

    @property
    def value(self) -> float | None:
        """The share itself, 0 to 1."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> Interval:
        """Bounds of the 95 % interval."""
        if not self.of:
            return 0.0, 1.0
        share, n = self.count / self.of, self.of
        middle, spread = share + Z**2 / (2 * n), Z * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
        low, high = (middle - spread) / (1 + Z**2 / n), (middle + spread) / (1 + Z**2 / n)
        return max(0.0, low), min(1.0, high)


@dataclass(frozen=True)
class Difference:
    """The difference between two shares with its 95 % interval (Newcombe); 0.05 is five percentage points."""

    share: Share
    against: Share

    @property
    def value(self) -> float | None:
        """The difference, or None if one side counted nothing."""
        one, other = self.share.value, self.against.value
        return None if one is None or other is None else one - other

    @property
    def interval(self) -> Interval:
        """Bounds of the 95 % interval."""
        value = self.value
        if value is None:
            return -1.0, 1.0
        (low, high), (low_, high_) = self.share.interval, self.against.interval
        a, b = self.share.value or 0.0, self.against.value or 0.0
        return value - sqrt((a - low) ** 2 + (high_ - b) ** 2), value + sqrt((high - a) ** 2 + (b - low_) ** 2)

    @property
    def certain(self) -> bool:
        """Whether the difference is significant: the interval excludes zero."""
        low, high = self.interval
        return low > 0 or high < 0


@dataclass(frozen=True)
class Trend:
    """The average growth of a share from one point to the next, with its 95 % interval."""

    value: float
    interval: Interval

    @property
    def certain(self) -> bool:
        low, high = self.interval
        return low > 0 or high < 0


def fit_trend(shares: Sequence[Share]) -> Trend | None:
    """Fit a weighted line through equally spaced shares, ignoring empty ones; None for fewer than three.

    The weights are the counts. Where the shares deviate from the line more than sampling error explains, the interval is widened
    accordingly (quasi-binomial), to avoid reporting a few outlying weeks as a trend.
    """
    points = [(float(at), share.count / share.of, share.of) for at, share in enumerate(shares) if share.of]
    if len(points) < LEAST_POINTS:
        return None
    total = sum(n for _, _, n in points)
    middle = sum(n * x for x, _, n in points) / total
    mean = sum(n * y for _, y, n in points) / total
    width = sum(n * (x - middle) ** 2 for x, _, n in points)
    slope = sum(n * (x - middle) * (y - mean) for x, y, n in points) / width
    chance = mean * (1 - mean)
    off = sum(n * (y - mean - slope * (x - middle)) ** 2 for x, y, n in points) / (len(points) - 2)
    spread = Z * sqrt(max(chance, off) / width)
    return Trend(slope, (slope - spread, slope + spread))
