"""A text is embedded once while it is remembered."""

from __future__ import annotations

import numpy as np

from knowledge.embeddings.cached import CachedEmbedder


class Counting:
    """Embeds a text as its length, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: list[str]) -> np.ndarray:
        self.asked += texts
        return np.array([[len(text)] for text in texts], dtype=np.float32).reshape(len(texts), 1)


def test_each_text_is_embedded_once_and_rows_keep_their_order() -> None:
    embedder = CachedEmbedder(counting := Counting())
    assert embedder.embed(["a", "bbb", "a"]).tolist() == [[1], [3], [1]]
    assert embedder.embed(["cc", "bbb"]).tolist() == [[2], [3]]
    assert counting.asked == ["a", "bbb", "cc"]
    assert embedder.embed([]).shape == (0, 1)


def test_what_was_not_asked_for_longest_is_forgotten() -> None:
    embedder = CachedEmbedder(counting := Counting(), size=2)
    for text in ("a", "bb", "a", "ccc", "a", "bb"):
        embedder.embed([text])
    assert counting.asked == ["a", "bb", "ccc", "bb"]
