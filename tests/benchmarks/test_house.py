"""What a newcomer finds: the floors of `bench house`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import house

NOT_YET = {"dict[str, Any]"}
"""Missed today."""


@pytest.fixture(scope="module")
def goals() -> dict[str, bool]:
    return {goal["name"]: goal["met"] for goal in house.run(Path())["targets"]}


def test_names_rooms_and_docstrings_stay_as_good_as_they_are(goals: dict[str, bool]) -> None:
    assert {name for name, met in goals.items() if not met} <= NOT_YET


def test_a_circle_of_rooms_is_found() -> None:
    sources = [
        house.Source(Path(f"core/{one}/x.py"), house.ast.parse(f"from core.{other}.x import y"))
        for one, other in (("bot", "llm"), ("llm", "bot"))
    ]
    assert house.find_circles(sources) == [("core.bot", "core.llm")]
