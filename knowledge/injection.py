"""Finds texts that give orders to the assistant: prompt injection and jailbreaks, in messages and in documents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import structlog

from knowledge.extract import Embeds, sentences_of
from knowledge.types import Entry

log = structlog.get_logger()

WEIGHTS = Path(__file__).parent / "weights/injection.json"
"""Made by ``knowledge.training.train_injection``; for all-MiniLM-L6-v2."""
WINDOW = 400
"""Characters that are looked at together; an order may hide in a long text."""
MOST_WINDOWS = 20


def windows(text: str) -> list[str]:
    """Whole sentences, up to about ``WINDOW`` characters together; a text without sentences in pieces."""
    pieces = [s[i : i + WINDOW] for s in sentences_of(text) for i in range(0, len(s), WINDOW)] or [text]
    joined = [pieces[0]]
    for piece in pieces[1:]:
        if len(joined[-1]) + len(piece) < WINDOW:
            joined[-1] += f" {piece}"
        else:
            joined.append(piece)
    return joined[:MOST_WINDOWS]


class OrderDetector:
    """A logistic regression on the embedding of each window."""

    def __init__(self, embedder: Embeds) -> None:
        document = json.loads(WEIGHTS.read_text())
        self._embedder = embedder
        self._weights = np.array(document["weights"], dtype=np.float32)
        self._bias, self._threshold = float(document["bias"]), float(document["threshold"])

    def gives_orders(self, text: str) -> bool:
        """Does some part of the text tell the assistant what to be or do?"""
        vectors = self._embedder.embed(windows(text))
        if vectors.shape[1] != self._weights.size:
            return False  # another embedding model, for which there are no weights
        return bool((vectors @ self._weights + self._bias).max() > self._threshold)

    def without_orders(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """The entries that may be shown to a model."""
        kept = tuple(entry for entry in entries if not self.gives_orders(entry.answer))
        for entry in entries:
            if entry not in kept:
                log.warning("an entry gives orders to the assistant and is not shown to a model", entry_id=entry.id)
        return kept
