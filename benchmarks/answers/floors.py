"""What a fixed part of the questions must reach on every change; raised when the bot gets better, never lowered.

The part is 45 questions of the demo shop's tuning half that its help centre answers, and 15 that it does not. The
figures are below what was seen by about two questions, since a reworded question moves them.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5

from benchmarks.answers.score import Case
from benchmarks.answers.worlds import World

ANSWERABLE, UNANSWERABLE = 45, 15

RIGHT = 44.0
"""Percent of the answerable ones, at least; so are the next."""
RIGHT_OR_SHOWN = 51.0
HONEST = 30.0
"""Percent of the unanswerable ones, at least."""
WRONG_AND_SURE = 9.0
"""Percent of the answerable ones, at most."""
INVENTED_AND_SURE = 14.0
"""Percent of the unanswerable ones, at most."""
CAPTURED = 7.0
"""Percent of all, at most."""

CONVERSATIONS = 16
RIGHT_AT_THE_END, RIGHT_OR_SHOWN_AT_THE_END = 43.0, 68.0
"""Percent of the conversations, at least, whose last question is answered."""


def fixed_conversations(world: World) -> list[Case]:
    """The same every time, as long as their ids stay."""
    return sorted(world.conversations, key=lambda c: _hash(c.id))[:CONVERSATIONS]


def fixed_part(world: World) -> list[Case]:
    """The same questions every time, as long as their ids stay."""
    tuned = sorted((c for c in world.cases if world.part(c) == "tuned"), key=lambda c: _hash(c.id))
    return [*_first(tuned, True, ANSWERABLE), *_first(tuned, False, UNANSWERABLE)]


def _first(cases: Sequence[Case], expects_answer: bool, count: int) -> list[Case]:
    return [case for case in cases if case.expects_answer == expects_answer][:count]


def _hash(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
