"""Which intents of a project mean the same as intents of the base, whatever they are called."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from evaluation.training.data import Example
from knowledge.types import Embeds

NEAR = 0.6
"""Cosine from which on two examples say much the same."""
SAME = 0.3
"""From this share on of each other's examples, on average, two intents are one. Of two public bots the same ones share 0.33 to
0.76 and different ones at most 0.14."""
TOUCHES = 0.8
"""An example of the base that is nearer than this to one of theirs is left out: the message is theirs."""


class Wishes:
    """The base's examples compared with a project's."""

    def __init__(self, base: Sequence[Example], theirs: Sequence[Example], embedder: Embeds) -> None:
        self._base, self._theirs = list(base), [example for example in theirs if example.key]
        rows = [embedder.embed([e.text for e in some]) if some else None for some in (self._base, self._theirs)]
        self._near = rows[0] @ rows[1].T if rows[0] is not None and rows[1] is not None else None

    def same(self) -> dict[str, list[str]]:
        """By intent of the base, the intents of the project that mean the same."""
        if self._near is None:
            return {}
        there = self._compute_vote_shares(self._base, self._theirs, self._near)
        back = self._compute_vote_shares(self._theirs, self._base, self._near.T)
        pairs = {(ours, theirs): (share + back.get((theirs, ours), 0.0)) / 2 for (ours, theirs), share in there.items()}
        found: dict[str, list[str]] = defaultdict(list)
        for (ours, theirs), share in sorted(pairs.items(), key=lambda pair: -pair[1]):
            if share >= SAME:
                found[ours].append(theirs)
        return dict(found)

    def some(self, ours: str) -> dict[str, list[str]]:
        """By intent of the project, its examples that say nearly what an intent of the base does."""
        found: dict[str, list[str]] = defaultdict(list)
        if self._near is not None:
            nearest = self._near.argmax(axis=0)
            for example, place, column in zip(self._theirs, nearest, self._near.T, strict=True):
                if column[place] >= TOUCHES and self._base[place].base == ours:
                    found[example.base].append(example.text)
        return dict(found)

    def free(self) -> list[Example]:
        """Examples of the base that are not near to one of the project's."""
        if self._near is None:
            return self._base
        return [e for e, near in zip(self._base, self._near.max(axis=1), strict=True) if near < TOUCHES]

    def lent(self, intents: Mapping[str, str]) -> list[Example]:
        """Examples of the base under the project's intents that mean the same; not what is nearer to another of its intents."""
        if self._near is None:
            return []
        found = []
        for example, row in zip(self._base, self._near, strict=True):
            nearest = self._theirs[int(row.argmax())].base
            if example.base in intents and (nearest == intents[example.base] or row.max() < NEAR):
                found.append(replace(example, intent=intents[example.base]))
        return found

    @staticmethod
    def _compute_vote_shares(of: list[Example], among: list[Example], near: np.ndarray) -> dict[tuple[str, str], float]:
        """Which share of an intent's examples has its nearest one in which other intent."""
        sizes = Counter(example.base for example in of)
        votes = Counter(
            (example.base, among[int(row.argmax())].base)
            for example, row in zip(of, near, strict=True)
            if row.max() >= NEAR
        )
        return {pair: count / sizes[pair[0]] for pair, count in votes.items()}
