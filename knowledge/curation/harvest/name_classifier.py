"""Detection of names in lower-case words, learnt from a few names and words by their embeddings."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from knowledge.text.facts import GENERAL
from knowledge.text.names import KIND_WORDS, NEVER_NAMES
from knowledge.types import Embeds

NAMES = (
    "anna john maria peter james mary robert linda michael susan david karen thomas lisa kevin laura eric sofia paul nina "
    "ahmed fatima ali hassan omar aisha smith johnson williams brown miller davis garcia rodriguez martinez kowalski novak "
    "schmidt mueller andersson hansen nielsen johansson korhonen ivanov petrov khan patel singh nguyen tanaka rossi silva horvath"
)
WORDS = (
    "order delivery refund booking ticket price return parcel account password card payment week day hour email website "
    "store shop product size colour flight bag seat room breakfast hotel table menu service customer policy fee charge free "
    "open close ship send pay change cancel update click choose available allowed required possible international online "
    "usually only before after each both lounge counter voucher battery screen device setting button link page form address "
    "number agent passenger person someone colleague companion name child children adult guest member manager family lamp "
    "brass wood vegetarian alcohol laundry"
)
_WORD = re.compile(r"[^\W\d_]{3,}")
_RIDGE = 0.5
_NEVER = GENERAL | NEVER_NAMES | KIND_WORDS


class NameSense:
    """A ridge regression between names and words; it finds nine in ten names and misclassifies one in twenty words."""

    def __init__(self, embedder: Embeds) -> None:
        self._embedder = embedder
        names, words = NAMES.split(), WORDS.split()
        vectors = embedder.embed([*names, *words])
        wanted = np.array([1.0] * len(names) + [-1.0] * len(words), dtype=np.float32)
        square = vectors.T @ vectors + _RIDGE * np.eye(vectors.shape[1], dtype=np.float32)
        self._weights = np.linalg.solve(square, vectors.T @ wanted)

    def names(self, text: str, known: Iterable[str] = ()) -> list[str]:
        """Return the words of a text that sound like names, in any case, except ``known`` ones."""
        never = _NEVER.union(known)
        words = [w for w in dict.fromkeys(_WORD.findall(text.lower())) if w not in never]
        if not words:
            return []
        scores = self._embedder.embed(words) @ self._weights
        return [word for word, score in zip(words, scores, strict=True) if score > 0]
