"""Trains the model of how a message sounds: `python -m research.train_sentiment [--data DIR]`.

A softmax regression over the embedding, the words with their pieces, and the marks with VADER's; a second one without the embedding. It learns from
messages that we wrote (`moods/`), VADER's rated words (MIT), ABCD (MIT), BANKING77, HWU64 and NLU++ (CC BY 4.0), CLINC150
(CC BY 3.0), DSTC9 (Apache-2.0), RUHSOLD (MIT) and LDNOOBW (CC BY 4.0). *Angry* is not labelled anywhere: it is what we wrote as such
(fury, insults, threats), a complaint of ours that is shouted, and abuse. No tweet of the sets `sentiment`, `urdu` or
`twacs_airlines` trains anything: their licences do not allow it.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.sentiment import Feeling
from knowledge.embeddings.embedder import Embedder
from knowledge.sentiment import features as sounds
from knowledge.sentiment.model import FEELINGS, WEIGHTS, is_latin
from research.sentiment_rows import Row, abuse, ordinary, rated_words, written

EPOCHS, BATCH, RATE, KEEP = 12, 64, 0.1, 3e-5
SHARES: dict[Feeling, float] = {"positive": 0.22, "neutral": 0.3, "negative": 0.38, "angry": 0.1}
"""How much each weighs in all: a missed complaint costs more than a false one; *angry* calls a person at once, so it has to be plain."""
HELD_OUT = 10
"""Every tenth row is not learned from, and reported."""

Floats = npt.NDArray[np.float32]
Head = dict[str, Floats]
Batch = dict[str, tuple[npt.NDArray[np.int64], Floats]]


def collected(data: Path, rng: random.Random) -> list[Row]:
    """All rows in a random order."""
    found = [*written(rng), *rated_words(rng), *abuse(data, rng), *ordinary(data, rng)]
    rng.shuffle(found)
    return found


def fitted(features: Features, target: npt.NDArray[np.int64], weight: Floats, used: npt.NDArray[np.int64]) -> Head:
    """Softmax regression by Adagrad; each feeling weighs what ``SHARES`` says."""
    share = weight * (np.array([SHARES[each] for each in FEELINGS]) / np.bincount(target[used], weight[used]))[target]
    share /= share[used].mean()
    head = {name: np.zeros((size, len(FEELINGS)), np.float32) for name, size in features.sizes().items()}
    seen = {name: np.full_like(part, 1e-2) for name, part in head.items()}
    rng = np.random.default_rng(0)
    for _ in range(EPOCHS):
        for chosen in np.array_split(rng.permutation(used), max(len(used) // BATCH, 1)):
            batch = features.of(chosen)
            miss = odds(batch, head)
            miss[np.arange(len(chosen)), target[chosen]] -= 1
            miss *= share[chosen, None]
            for name, part in head.items():
                where, values = batch[name]
                step = values.T @ miss / len(chosen) + KEEP * part[where]
                seen[name][where] += step**2
                part[where] -= RATE * step / np.sqrt(seen[name][where])
    return head


def odds(batch: Batch, head: Head) -> Floats:
    """Of each feeling, one row a text."""
    scores = np.sum([values @ head[name][where] for name, (where, values) in batch.items()], axis=0)
    found = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True), np.float32)


class Features:
    """What is measured of each text."""

    def __init__(self, rows: list[Row], embedder: Embedder | None) -> None:
        self._rows = [sounds.compute_feature_rows(row.text) for row in rows]
        marks = np.stack([sounds.compute_mark_features(row.text, rated=not row.unrated) for row in rows])
        self._dense = {"marks": marks, "bias": np.ones((len(rows), 1))}
        if embedder:
            texts = [sounds.remove_addresses(row.text) for row in rows]
            alike = np.argsort([len(text) for text in texts])  # a batch of texts of one length takes the least time
            self._dense["meaning"] = embedder.embed([texts[number] for number in alike])[np.argsort(alike)]

    def sizes(self) -> dict[str, int]:
        """Columns by kind."""
        return {"table": sounds.BUCKETS} | {name: part.shape[1] for name, part in self._dense.items()}

    def of(self, chosen: npt.NDArray[np.int64]) -> Batch:
        """Of some texts, by kind: which columns, and their values; of the table those that these texts have."""
        own = [self._rows[number] for number in chosen]
        columns, place = np.unique(np.concatenate(own), return_inverse=True)
        table = np.zeros((len(own), len(columns)), np.float32)
        owner = np.repeat(np.arange(len(own)), [len(each) for each in own])
        table[owner, place] = 1 / np.sqrt(np.array([max(len(each), 1) for each in own]))[owner]
        dense = {name: (np.arange(part.shape[1]), part[chosen]) for name, part in self._dense.items()}
        return {"table": (columns, table), **dense}


def main() -> None:
    """Train both heads, write the weights, print how they do on the rows that were left out."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    rows = collected(parser.parse_args().data, random.Random(0))
    stored: dict[str, npt.NDArray[np.float16]] = {}
    for name, embedder in (("full", Embedder(threads=2)), ("words", None)):
        kept = [row for row in rows if embedder is None or is_latin(row.text)]
        target = np.array([FEELINGS.index(row.feeling) for row in kept])
        weight = np.array([row.weight for row in kept], np.float32)
        out = np.arange(len(kept)) % HELD_OUT == 0
        features = Features(kept, embedder)
        head = fitted(features, target, weight, np.flatnonzero(~out))
        right = odds(features.of(np.flatnonzero(out)), head).argmax(axis=1) == target[out]
        told = ", ".join(f"{each} {right[target[out] == i].mean():.3f}" for i, each in enumerate(FEELINGS))
        print(f"{name}: {len(kept)} rows; recall on the rows left out: {told}")
        stored |= {f"{name}_{part}": values.astype(np.float16) for part, values in head.items()}
    np.savez_compressed(WEIGHTS, **{key: part[0] if key.endswith("bias") else part for key, part in stored.items()})


if __name__ == "__main__":
    main()
