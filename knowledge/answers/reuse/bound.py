"""The minimum score for sending an entry's answer verbatim, learnt per tenant and entry from a shared prior.

An entry answers correctly at score ``s`` with probability ``sigmoid(slope * logit(s) + level + u)``. Slope and level
belong to the tenant, since its customers and topics make the score sharper or duller than elsewhere. ``u`` belongs to
the entry, with the prior ``Normal(0, spread)`` learnt from developer data, and is averaged over its posterior. The bound
is the lowest score from which, over the tenant's usual scores, the expected share of wrong answers stays within the
operator's limit. After vCache (arXiv 2502.03771), which learns such a logistic for each cached prompt; unlike vCache,
this never explores at random.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.answers.reuse.score import RARELY
from knowledge.relevance.matcher import SHIPPED

Numbers = npt.NDArray[np.float64]
NEVER = 1.01
"""A bound that no score reaches."""
FEWEST, FEWEST_SCORES = 20, 100
"""Minimum judged uses to fit a tenant's curve, and minimum scores to use as its usual ones."""
SLOPE_VARIES, LEVEL_VARIES = 0.5, 1.5
"""Prior standard deviations of a tenant's slope and level."""
STEPS = 25


@dataclass(frozen=True)
class JudgedUse:
    """A judged use of an entry."""

    score: float
    correct: bool


@dataclass(frozen=True)
class Experience:
    """What was learnt from a tenant's uses: its curve and its usual scores."""

    curve: tuple[float, float] = (1.0, 0.0)
    scores: tuple[float, ...] = ()

    @classmethod
    def of(cls, seen: Sequence[JudgedUse], scores: Sequence[float] = ()) -> Experience:
        """Fit the most likely curve to a tenant's judged uses (logistic regression with a prior)."""
        usual = tuple(scores) if len(scores) >= FEWEST_SCORES else ()
        if len(seen) < FEWEST:
            return cls(scores=usual)
        odds = np.column_stack([_compute_logits([s.score for s in seen]), np.ones(len(seen))])
        right = np.array([s.correct for s in seen], dtype=np.float64)
        start, tie = np.array([1.0, 0.0]), np.diag([SLOPE_VARIES**-2, LEVEL_VARIES**-2])
        curve = start.copy()
        for _ in range(STEPS):
            share = _compute_sigmoid(odds @ curve)
            bend = (odds.T * (share * (1 - share))) @ odds + tie
            curve = curve + np.linalg.solve(bend, odds.T @ (right - share) - tie @ (curve - start))
        return cls((float(curve[0]), float(curve[1])), usual)


class ReuseBound:
    """Computes the score an entry needs."""

    def __init__(self, spread: float, usual: Sequence[float]) -> None:
        self._offsets = np.linspace(-4 * spread, 4 * spread, 81)
        self._prior = -0.5 * (self._offsets / spread) ** 2
        self._usual = tuple(usual)

    @classmethod
    def shipped(cls, file: Path = SHIPPED / "reuse.json") -> ReuseBound:
        stored = json.loads(file.read_text(encoding="utf-8"))
        return cls(stored["spread"], stored["usual"])

    def needed(self, seen: Sequence[JudgedUse], error: float, experience: Experience | None = None) -> float:
        """Return the lowest score from which the expected share of wrong reuses is at most ``error``."""
        known = experience or Experience()
        usual = np.sort(np.array(known.scores or self._usual))[::-1]
        odds = _compute_logits(usual)
        slope, level = known.curve
        right = _compute_sigmoid((slope * odds + level)[:, None] + self._offsets)
        wrong = 1 - right @ self._compute_posterior(seen, known)
        expected = np.cumsum(wrong) / np.arange(1, len(wrong) + 1)
        within = np.nonzero(expected <= error)[0]
        return float(usual[within[-1]]) if len(within) else NEVER

    def _compute_posterior(self, seen: Sequence[JudgedUse], known: Experience) -> Numbers:
        """Return the probability of each offset, that is, how much better or worse than usual the entry does."""
        total = self._prior.copy()
        slope, level = known.curve
        for odds, each in zip(_compute_logits([s.score for s in seen]), seen, strict=True):
            right = slope * odds + level + self._offsets
            total -= np.logaddexp(0, -right if each.correct else right)
        shares = np.exp(total - total.max())
        return np.asarray(shares / shares.sum())


def _compute_logits(shares: Sequence[float] | Numbers) -> Numbers:
    kept = np.clip(np.array(shares, dtype=np.float64), RARELY, 1 - RARELY)
    return np.asarray(np.log(kept / (1 - kept)))


def _compute_sigmoid(odds: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -40, 40))))
