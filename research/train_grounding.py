"""Trains the head of the groundedness check: `python -m research.train_grounding DATA`, some minutes.

Writes `knowledge/weights/grounding.json` from the tuning part (by hash) of BEGIN (wow and cmu; not topicalchat, whose
licence is another), Q2, CLAPNQ and MTRAG. `python -m benchmarks grounding` reports on the other part.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.grounding import Example, cases, is_tuned
from knowledge.answers.grounding.head import FEATURES, WEIGHTS, Evidence, compute_head_features
from knowledge.embeddings.embedder import Embedder
from knowledge.text.facts import extract_facts

STEPS, RATE, DECAY = 4000, 0.3, 0.003
PASS = 0.87
"""Share of the supported answers of the tuning part that the threshold lets through: a good answer that is cut costs too."""
COSINE = FEATURES.index("cosine")


def main(data: Path) -> None:
    """Fit both heads and write them."""
    examples = [e for e in cases(data) if is_tuned(e) and e.trains]
    embedder = Embedder()
    x = np.array(
        [
            compute_head_features(e.answer, Evidence.of(e.evidence), extract_facts(e.question), embedder)
            for e in examples
        ]
    )
    y = np.array([float(e.supported) for e in examples])
    balance = np.array([_weight(e, examples) for e in examples])
    weights, thresholds = {}, {}
    for kind in ("whole", "coming"):
        used = x.copy()
        if kind == "coming":
            used[:, COSINE] = 0.0
        fitted = _fit(used, y, balance)
        p = 1 / (1 + np.exp(-(fitted[0] + used @ fitted[1:])))
        weights[kind] = [round(float(w), 4) for w in fitted]
        thresholds[kind] = _passing(p[y == 1], balance[y == 1])
    note = "BEGIN wow and cmu (CC BY 4.0), Q2 (Apache-2.0, its data MIT), CLAPNQ and MTRAG (Apache-2.0); tuning part by hash"
    shipped = {"trained_on": note, "features": FEATURES, "weights": weights, "thresholds": thresholds}
    WEIGHTS.write_text(json.dumps(shipped, indent=1) + "\n")
    print(len(examples), "examples", shipped)


def _weight(example: Example, examples: list[Example]) -> float:
    """Every set and each of its sides counts the same."""
    alike = sum(e.name == example.name and e.supported == example.supported for e in examples)
    return 1 / alike


def _fit(x: np.ndarray, y: np.ndarray, balance: np.ndarray) -> np.ndarray:
    x = np.hstack([np.ones((len(x), 1)), x])
    weights, share = np.zeros(x.shape[1]), balance / balance.sum()
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ weights))
        weights -= RATE * (x.T @ (share * (p - y)) + DECAY * np.r_[0, weights[1:]])
    return weights


def _passing(probabilities: np.ndarray, balance: np.ndarray) -> float:
    """The highest threshold that lets enough of them through."""
    order = np.argsort(-probabilities)
    through = np.cumsum(balance[order]) / balance.sum()
    return round(float(probabilities[order][np.searchsorted(through, PASS)]), 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
