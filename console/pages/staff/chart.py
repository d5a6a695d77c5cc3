"""Lines over weeks as numbers that a template turns into SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 44, 130, 14, 30
APART = 16
"""Labels at the ends of lines are at least so far from each other."""
MOST_TICKS = 8


@dataclass(frozen=True)
class ChartLine:
    """One line with its label at its end."""

    name: str
    points: str
    dots: tuple[tuple[float, float], ...]
    label_y: float
    value: float


@dataclass(frozen=True)
class Chart:
    """Everything that is drawn; shares go from 0 to 1."""

    lines: tuple[ChartLine, ...]
    ticks: tuple[tuple[float, Any], ...]
    """Along the time: x and what it is."""
    levels: tuple[tuple[float, int], ...]
    """Up the side: y and percent."""


def build_chart(periods: Sequence[dict[str, Any]], names: dict[str, str]) -> Chart | None:
    """Lines of the named rates; None where there are not two periods to connect."""
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
    """Labels that do not lie on each other."""
    placed: dict[str, float] = {}
    lowest = HEIGHT - BOTTOM - APART * (len(lines) - 1)
    last = -float(APART)
    for n, line in enumerate(sorted(lines, key=lambda one: one.label_y)):
        last = max(last + APART, min(line.label_y, lowest + APART * n))
        placed[line.name] = last
    return tuple(ChartLine(one.name, one.points, one.dots, placed[one.name], one.value) for one in lines)
