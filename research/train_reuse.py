"""Trains what decides about reuse: `python -m research.train_reuse DATA`.

A logistic regression over the matcher's odds and how the words line up, on the training half of ``reuse_worlds``; then
how far entries differ from it (the prior's spread, by the highest likelihood) and the scores that askings usually have.
What a guard stops trains nothing. Entries with a hash of their own take turns in being left out, so that spread and
usual scores are of entries that the regression has not seen.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.reuse_worlds import World, training_worlds, worlds
from knowledge.answers.decision import retrieve_shortlist
from knowledge.answers.reuse.contrast_guards import find_difference
from knowledge.answers.reuse.score import Numbers, compute_log_odds, compute_match_signs, with_products
from knowledge.embeddings.cached import CachedEmbedder
from knowledge.embeddings.embedder import Embedder
from knowledge.index.entry_vectors import TextEmbedder
from knowledge.relevance.matcher import SHIPPED, TrainedMatcher
from testing.in_memory_answers import InMemoryRetriever

RIDGE = 40.0
STEPS = 60
FOLDS = 5
SPREADS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
USUAL = 400


@dataclass(frozen=True)
class Row:
    """One asking's best match."""

    world: str
    entry: str
    signs: Numbers
    right: bool


@dataclass(frozen=True)
class Fit:
    """A regression."""

    mean: Numbers
    scale: Numbers
    weights: Numbers
    bias: float

    def scores(self, rows: Numbers) -> Numbers:
        """0 to 1 each."""
        standard = np.clip((rows - self.mean) / self.scale, -4, 4)
        return np.asarray(1 / (1 + np.exp(-(with_products(standard) @ self.weights + self.bias))))


def read(world: World, embedder: CachedEmbedder, matcher: TrainedMatcher) -> Iterator[Row]:
    """What the training half of a world's askings meets."""
    retriever = InMemoryRetriever(world.entries, TextEmbedder(embedder))
    for ask in world.asks:
        if ask.part != "train":
            continue
        ranked = matcher.ranked(ask.question, retrieve_shortlist(ask.question, retriever))
        best = ranked[0]
        entry = best.candidate.entry
        own = (best.phrasing, *entry.questions)
        if best.standing != "other" and find_difference(ask.question.text, own, entry.language, entry.subject) is None:
            yield Row(world.name, entry.id, compute_match_signs(ask.question, ranked), entry.id in ask.right)


def fitted(signs_: Numbers, right: npt.NDArray[np.bool_]) -> Fit:
    """Newton's method with a ridge."""
    mean, scale = signs_.mean(axis=0), signs_.std(axis=0) + 1e-6
    rows = with_products(np.clip((signs_ - mean) / scale, -4, 4))
    rows = np.column_stack([rows, np.ones(len(rows))])
    weights, ridge = np.zeros(rows.shape[1]), np.eye(rows.shape[1]) * RIDGE
    ridge[-1, -1] = 0
    for _ in range(STEPS):
        share = 1 / (1 + np.exp(-rows @ weights))
        curve = (rows * (share * (1 - share))[:, None]).T @ rows + ridge
        weights += np.linalg.solve(curve, rows.T @ (right - share) - ridge @ weights)
    return Fit(mean, scale, weights[:-1], float(weights[-1]))


def spread_of(rows: Sequence[Row], scores: Numbers) -> float:
    """How much entries differ from each other: the likeliest of a few."""
    by_entry: dict[tuple[str, str], list[tuple[float, bool]]] = defaultdict(list)
    for row, score in zip(rows, scores, strict=True):
        by_entry[row.world, row.entry].append((compute_log_odds(float(score)), row.right))
    return max(SPREADS, key=lambda spread: sum(_likelihood(seen, spread) for seen in by_entry.values()))


def _likelihood(seen: Sequence[tuple[float, bool]], spread: float) -> float:
    offsets = np.linspace(-4 * spread, 4 * spread, 81)
    prior = np.exp(-0.5 * (offsets / spread) ** 2)
    total = np.zeros_like(offsets)
    for odds, right in seen:
        total += -np.logaddexp(0, -(odds + offsets) if right else odds + offsets)
    return float(np.log(np.sum(np.exp(total) * prior) / prior.sum()))


def main(data: Path) -> None:
    """Read, fit, write."""
    embedder = CachedEmbedder(Embedder())
    matcher = TrainedMatcher(Embedder())
    rows = [
        row
        for world in (*worlds(data), *training_worlds(data))
        if any(ask.part == "train" for ask in world.asks)
        for row in read(world, embedder, matcher)
    ]
    all_signs, right = np.stack([row.signs for row in rows]), np.array([row.right for row in rows])
    fold = np.array([int(sha256(f"{r.world}|{r.entry}".encode()).hexdigest(), 16) % FOLDS for r in rows])
    unseen = np.zeros(len(rows))
    for each in range(FOLDS):
        unseen[fold == each] = fitted(all_signs[fold != each], right[fold != each]).scores(all_signs[fold == each])
    fit = fitted(all_signs, right)
    stored = {
        "spread": spread_of(rows, unseen),
        "usual": [round(float(s), 6) for s in np.quantile(unseen, np.linspace(0, 1, USUAL))],
        "bias": round(fit.bias, 6),
        "mean": fit.mean.round(6).tolist(),
        "scale": fit.scale.round(6).tolist(),
        "weights": fit.weights.round(6).tolist(),
    }
    (SHIPPED / "reuse.json").write_text(json.dumps(stored) + "\n", encoding="utf-8")
    print(f"{len(rows)} askings, {right.mean():.1%} right; spread {stored['spread']}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
