"""The shape of a benchmark's result, and how it is printed."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class Goal(TypedDict):
    """A figure to reach."""

    name: str
    goal: str
    value: float | None
    met: bool


class Result(TypedDict):
    """What a benchmark found."""

    figures: dict[str, Any]
    targets: list[Goal]
    notes: NotRequired[list[str]]


def at_least(name: str, value: float, goal: float) -> Goal:
    """A figure that should not be smaller."""
    return {"name": name, "goal": f">= {goal}", "value": value, "met": value >= goal}


def at_most(name: str, value: float, goal: float) -> Goal:
    """A figure that should not be larger."""
    return {"name": name, "goal": f"<= {goal}", "value": value, "met": value <= goal}


def table(title: str, result: Result) -> str:
    """Figures, then targets with what was reached."""
    rows = [(name, _shown(value)) for name, value in _flat(result["figures"])]
    width = max((len(name) for name, _ in rows), default=0)
    lines = [f"\n{title}", "-" * len(title), *(f"{name:<{width}}  {value}" for name, value in rows)]
    for goal in result["targets"]:
        mark = "met" if goal["met"] else "MISSED"
        lines.append(f"  {mark:<6}  {goal['name']}: {_shown(goal['value'])} (goal {goal['goal']})")
    return "\n".join([*lines, *(f"  note: {note}" for note in result.get("notes", []))])


def _flat(figures: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in figures.items():
        rows += _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(f"{prefix}{name}", value)]
    return rows


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
