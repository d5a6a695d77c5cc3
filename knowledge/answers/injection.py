"""Detects prompt injection and jailbreaks in messages and documents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import structlog

from knowledge.answers.grounding.instructions import is_instruction
from knowledge.relevance.extract import sentences_of
from knowledge.types import Embeds, Entry

log = structlog.get_logger()

WEIGHTS = Path(__file__).parents[1] / "weights/injection.json"
"""Trained with ``research.train_injection`` for all-MiniLM-L6-v2."""
WINDOW = 400
"""Characters examined together; an injection may hide in a long text or span several sentences."""
RULES_WEIGH = 0.5
"""Weight of the rules' finding beside the numbers of an embedding."""


def split_pieces(text: str) -> list[str]:
    """Return the sentences, and neighbouring sentences joined up to about ``WINDOW`` characters."""
    single = [s[i : i + WINDOW] for s in sentences_of(text) for i in range(0, len(s), WINDOW)] or [text]
    joined = [single[0]]
    for piece in single[1:]:
        if len(joined[-1]) + len(piece) < WINDOW:
            joined[-1] += f" {piece}"
        else:
            joined.append(piece)
    return list(dict.fromkeys([*joined, *single]))


def compute_piece_features(texts: list[str], embedder: Embeds) -> npt.NDArray[np.float32]:
    """Return one row per piece: its embedding, and whether the rules flag it."""
    rules = [[RULES_WEIGH * is_instruction(text)] for text in texts]
    return np.concatenate([embedder.embed(texts), np.array(rules, dtype=np.float32)], axis=1)


class OrderDetector:
    """Logistic regression over the features of each piece; the highest score decides."""

    def __init__(self, embedder: Embeds) -> None:
        document = json.loads(WEIGHTS.read_text())
        self._embedder = embedder
        self._weights = np.array(document["weights"], dtype=np.float32)
        self._bias, self._threshold = float(document["bias"]), float(document["threshold"])
        self._told: set[tuple[str, int]] = set()

    def gives_orders(self, text: str) -> bool:
        """Whether any part of the text tries to instruct the assistant."""
        cut = split_pieces(text)
        found = compute_piece_features(cut, self._embedder)
        if found.shape[1] != self._weights.size:  # another embedding model, which has no weights
            return any(map(is_instruction, cut))
        return bool((found @ self._weights + self._bias).max() > self._threshold)

    def without_orders(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """Return the entries that may be shown to a model."""
        kept = tuple(entry for entry in entries if not self.gives_orders(entry.answer))
        for entry in entries:
            if entry not in kept and (entry.id, entry.version) not in self._told:
                self._told.add((entry.id, entry.version))
                log.warning("an entry gives orders to the assistant and is not shown to a model", entry_id=entry.id)
        return kept
