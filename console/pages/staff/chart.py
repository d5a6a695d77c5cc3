"""Line charts over weeks, as numbers that a template renders as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 44, 130, 14, 30
APART = 16
"""Minimum distance between the labels at the ends of lines."""
MOST_TICKS = 8


@dataclass(frozen=True)
class ChartLine:
    """One line with the label at its end."""

    name: str
    points: str
    dots: tuple[tuple[float, float], ...]
    label_y: float
    value: float


@dataclass(frozen=True)
class Chart:
    """Everything that is drawn; shares range from 0 to 1."""

    lines: tuple[ChartLine, ...]
    ticks: tuple[tuple[float, Any], ...]
    """Ticks of the time axis: x and the period's start."""
    levels: tuple[tuple[float, int], ...]
    """Levels of the vertical axis: y and percent."""


def build_chart(periods: Sequence[dict[str, Any]], names: dict[str, str]) -> Chart | None:
    """Build the lines of the named rates, or return None for fewer than two periods."""
    if len([p for p in periods if p["questions"]]) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    step = (WIDTH - LEFT - RIGHT) / (len(periods) - 1)
    every = -(-len(periods) // MOST_TICKS)
    lines = []
    for rate, name in names.items():
        known = [(n, p[rate]) for n, p in enumerate(periods) if p[rate] is not None]
        dots = tuple((round(LEFT + n * step, 1), _compute_y_position(value)) for n, value in known)
        points = " ".join(f"{x},{y}" for x, y in dots)
        lines.append(ChartLine(name, points, dots, dots[-1][1] if dots else 0, known[-1][1] if known else 0))
    return Chart(
        _spread_labels(lines),
        tuple((round(LEFT + n * step, 1), p["start"]) for n, p in enumerate(periods) if n % every == 0),
        tuple((_compute_y_position(level / 100), level) for level in (0, 25, 50, 75, 100)),
    )


def _compute_y_position(share: float) -> float:
    return round(TOP + (1 - share) * (HEIGHT - TOP - BOTTOM), 1)


def _spread_labels(lines: list[ChartLine]) -> tuple[ChartLine, ...]:
    """Move overlapping labels apart."""
    placed: dict[str, float] = {}
    lowest = HEIGHT - BOTTOM - APART * (len(lines) - 1)
    last = -float(APART)
    for n, line in enumerate(sorted(lines, key=lambda one: one.label_y)):
        last = max(last + APART, min(line.label_y, lowest + APART * n))
        placed[line.name] = last
    return tuple(ChartLine(one.name, one.points, one.dots, placed[one.name], one.value) for one in lines)
