"""Scores how surely an entry answers a new phrasing: the matcher's probability plus word alignment."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.relevance.matcher import SHIPPED, Match
from knowledge.text import features
from knowledge.text.names import mask_names
from knowledge.types import Question

Numbers = npt.NDArray[np.float64]
LONG = 15
"""Number of content words from which a question counts as long."""
RARELY = 1e-5


def compute_log_odds(share: float) -> float:
    """Return the log odds of a share."""
    kept = min(max(share, RARELY), 1 - RARELY)
    return math.log(kept / (1 - kept))


def compute_match_signs(question: Question, ranked: Sequence[Match]) -> Numbers:
    """Return the features of the best match: its odds and its rivals', nearness, and word alignment on both sides."""
    best, rivals = ranked[0], ranked[1:4]
    subject = [best.candidate.entry.subject]
    asked = features.content_words(mask_names(question.text, subject))
    own = features.content_words(mask_names(best.phrasing, subject))
    shared, aligned = len(asked & own), best.alignment
    return np.array(
        [
            compute_log_odds(best.probability),
            math.log(max((m.probability for m in rivals), default=0.0) + RARELY),
            aligned.near,
            aligned.near - max((m.alignment.near for m in rivals), default=0.0),
            aligned.asked_worst,
            aligned.asked_mean,
            aligned.own_worst,
            aligned.own_mean,
            shared / max(len(asked), 1),
            shared / max(len(own), 1),
            float(best.standing == "same"),
            float(bool(best.candidate.entry.context)),
            min(len(asked), LONG) / LONG,
        ]
    )


def with_products(standard: Numbers) -> Numbers:
    """Append all pairwise products to the features of one or many rows."""
    left, right = np.triu_indices(standard.shape[-1])
    return np.concatenate([standard, standard[..., left] * standard[..., right]], axis=-1)


class Closeness:
    """The trained score, 0 to 1: logistic regression over the features and their products."""

    def __init__(self, file: Path = SHIPPED / "reuse.json") -> None:
        stored = json.loads(file.read_text(encoding="utf-8"))
        self._mean, self._scale = np.array(stored["mean"]), np.array(stored["scale"])
        self._weights, self._bias = np.array(stored["weights"]), float(stored["bias"])

    def score(self, question: Question, ranked: Sequence[Match]) -> float:
        """Score the first match, given the others."""
        standard = np.clip((compute_match_signs(question, ranked) - self._mean) / self._scale, -4, 4)
        return float(1 / (1 + np.exp(-(with_products(standard) @ self._weights + self._bias))))
