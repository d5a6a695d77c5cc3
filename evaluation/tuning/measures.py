"""Measure how well embedding models find held-back entries by phrasings missing from the index, and compare two models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.tuning.pairs import Phrased
from knowledge.relevance.units import spoken_parts
from knowledge.types import Embeds

MOST_ENTRIES = 5_000
"""Maximum number of other entries in the search besides the held-back ones; more take minutes and change little."""
RESAMPLES = 2_000
SEED = 7


@dataclass(frozen=True)
class Ranks:
    """The rank of the right answer for each question (1 is first), and the entry of each question."""

    ranks: npt.NDArray[np.int64]
    entries: npt.NDArray[np.int64]

    def figures(self) -> dict[str, float]:
        """Return recall at 1, recall at 10 and mean reciprocal rank, each 0 to 1."""
        return {name: round(float(values.mean()), 4) for name, values in self.scores().items()}

    def scores(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the same measures per question."""
        return {
            "recall@1": (self.ranks == 1).astype(np.float64),
            "recall@10": (self.ranks <= 10).astype(np.float64),  # noqa: PLR2004
            "mrr": 1.0 / self.ranks,
        }


def compute_ranks(phrased: Sequence[Phrased], embedder: Embeds) -> Ranks:
    """Query each phrasing of each held-back entry against an index that lacks only that phrasing."""
    searched = _select_entries(phrased)
    texts = [(n, text) for n, one in enumerate(searched) for text in spoken_parts(one.entry)]
    owners = np.array([n for n, _ in texts], dtype=np.int64)
    vectors = embedder.embed([text for _, text in texts])
    answers: dict[str, int] = {}
    groups = np.array([answers.setdefault(one.answer_key, len(answers)) for one in searched], dtype=np.int64)
    asked = [(n, text) for n, one in enumerate(searched) if one.held_back for text in one.phrasings]
    ranks, of = [], []
    for (n, text), vector in zip(asked, embedder.embed([text for _, text in asked]), strict=True):
        own = {text, searched[n].named(text)}
        left_out = [
            place for place in np.flatnonzero(owners == n) if own & {texts[place][1], *texts[place][1].split("\n")}
        ]
        if len(left_out) == int((owners == n).sum()):
            continue
        scores = vectors @ vector
        scores[left_out] = -2.0
        best = np.full(len(answers), -2.0)
        np.maximum.at(best, groups[owners], scores)
        ranks.append(int((best > best[groups[n]]).sum()) + 1)
        of.append(n)
    return Ranks(np.array(ranks, dtype=np.int64), np.array(of, dtype=np.int64))


def _select_entries(phrased: Sequence[Phrased]) -> list[Phrased]:
    held_back = [one for one in phrased if one.held_back]
    return held_back + [one for one in phrased if not one.held_back][:MOST_ENTRIES]


def compare_ranks(before: Ranks, after: Ranks) -> tuple[dict[str, Any], str | None]:
    """Return the figures, and the reason why the new model is not better, or None if it is.

    The interval is a paired bootstrap over entries, since the phrasings of an entry are alike. Better means that the lower
    bound of the difference in mean reciprocal rank is above 0.
    """
    low_high = {name: _compute_interval(before, after, name) for name in before.scores()}
    old, new = before.figures(), after.figures()
    figures = {
        "questions": len(before.ranks),
        "held-back entries": len(np.unique(before.entries)),
        "before": old,
        "after": new,
        "difference": {name: [round(low, 4), round(high, 4)] for name, (low, high) in low_high.items()},
    }
    low, high = low_high["mrr"]
    if low > 0:
        return figures, None
    shown = ", ".join(f"{name} {old[name]:.3f} -> {new[name]:.3f}" for name in old)
    return figures, (
        f"It is not better than the model in force on {figures['held-back entries']} held-back entries "
        f"({figures['questions']} questions): {shown}; the difference in MRR lies between {low:+.3f} and {high:+.3f}."
    )


def _compute_interval(before: Ranks, after: Ranks, name: str) -> tuple[float, float]:
    """Return the 95 % interval of the difference."""
    differences = after.scores()[name] - before.scores()[name]
    _, place = np.unique(before.entries, return_inverse=True)
    sums, counts = np.bincount(place, differences), np.bincount(place)
    drawn = np.random.default_rng(SEED).integers(0, len(sums), (RESAMPLES, len(sums)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)
