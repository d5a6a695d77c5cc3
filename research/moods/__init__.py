"""Messages that we wrote, by how they sound: English, Roman Urdu, Urdu. ``{a|b|}`` stands for one of its alternatives."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

from core.sentiment import Feeling
from knowledge.sentiment.model import FEELINGS

_CHOICE = re.compile(r"\{([^{}]*)\}")


def lines(name: str) -> Iterator[tuple[Feeling, str]]:
    """Each line of ``NAME.txt`` with the heading that it stands under."""
    feeling: Feeling = "neutral"
    for line in (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            feeling = FEELINGS[FEELINGS.index(line[2:])]  # type: ignore[arg-type]
        elif line.strip():
            yield feeling, line


def wordings(line: str, most: int, rng: random.Random) -> list[str]:
    """Up to so many different wordings of a line."""
    drawn = {_CHOICE.sub(lambda found: rng.choice(found[1].split("|")), line) for _ in range(2 * most)}
    return sorted(" ".join(each.split()).replace(" ,", ",") for each in drawn)[:most]
