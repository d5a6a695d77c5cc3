"""Find intents of a project that mean the same as intents of the base bot, regardless of their names."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from evaluation.training.data import Example
from knowledge.types import Embeds

NEAR = 0.6
"""Minimum cosine similarity at which two examples count as similar."""
SAME = 0.3
"""Minimum average share of similar examples at which two intents count as the same.

In two public bots, equivalent intents share 0.33 to 0.76 and different ones at most 0.14.
"""
TOUCHES = 0.8
"""Base examples at least this similar to a project's example are left out, since the message belongs to the project."""


class Wishes:
    """Compares the base bot's examples with a project's."""

    def __init__(self, base: Sequence[Example], theirs: Sequence[Example], embedder: Embeds) -> None:
        self._base, self._theirs = list(base), [example for example in theirs if example.key]
        rows = [embedder.embed([e.text for e in some]) if some else None for some in (self._base, self._theirs)]
        self._near = rows[0] @ rows[1].T if rows[0] is not None and rows[1] is not None else None

    def same(self) -> dict[str, list[str]]:
        """Map base intents to the project's intents of the same meaning."""
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
        """Map the project's intents to their examples that nearly match the given base intent."""
        found: dict[str, list[str]] = defaultdict(list)
        if self._near is not None:
            nearest = self._near.argmax(axis=0)
            for example, place, column in zip(self._theirs, nearest, self._near.T, strict=True):
                if column[place] >= TOUCHES and self._base[place].base == ours:
                    found[example.base].append(example.text)
        return dict(found)

    def free(self) -> list[Example]:
        """Return the base examples that are not close to any of the project's."""
        if self._near is None:
            return self._base
        return [e for e, near in zip(self._base, self._near.max(axis=1), strict=True) if near < TOUCHES]

    def lent(self, intents: Mapping[str, str]) -> list[Example]:
        """Return base examples relabelled as the project's equivalent intents, except those closer to another of its intents."""
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
        """Map (intent, other intent) to the share of the intent's examples whose nearest neighbour is in the other intent."""
        sizes = Counter(example.base for example in of)
        votes = Counter(
            (example.base, among[int(row.argmax())].base)
            for example, row in zip(of, near, strict=True)
            if row.max() >= NEAR
        )
        return {pair: count / sizes[pair[0]] for pair, count in votes.items()}
