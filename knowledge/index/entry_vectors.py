"""The vectors of entries and of what they are looked up by: of two models, one behind the other.

The cosine of two such vectors is the weighted mean of the models' cosines. With a model of its own kind beside MiniLM the right
entry is first more often: measured in `benchmarks/README.md`. What is not English is read by the multilingual model alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.embeddings.embedder import Vectors
from knowledge.embeddings.multilingual import MultilingualEmbedder
from knowledge.relevance.units import indexed_parts
from knowledge.types import ENGLISH, Embeds, Entry

ENGLISH_SHARE = 0.6
"""What the first model's cosine counts; the multilingual one's the rest."""


@dataclass(frozen=True)
class TextEmbedder:
    """Without a multilingual model the vectors are the other one's."""

    english: Embeds
    multilingual: MultilingualEmbedder | None = None

    def embed_entries(self, wanted: Sequence[Entry]) -> dict[str, Vectors]:
        """The vectors of entries, one for each of their spoken parts."""
        texts = {entry.id: indexed_parts(entry) for entry in wanted}
        flat = [text for own in texts.values() for text in own]
        if not flat:
            return {entry: np.zeros((0, 0), np.float32) for entry in texts}
        is_english = [entry.language == ENGLISH for entry in wanted for _ in texts[entry.id]]
        ends = np.cumsum([len(own) for own in texts.values()])[:-1]
        return dict(zip(texts, np.split(self.embed_parts(flat, np.array(is_english)), ends), strict=True))

    def embed_asked(self, texts: list[str]) -> Vectors:
        """The vectors to look one question up by, which the texts put in several ways; both models read at the same time.

        The multilingual one takes ten times as long, so it reads the first text and the last one, which has most of what was
        said before; of those between it knows the first.
        """
        if self.multilingual is None:
            return self.english.embed(texts)
        with ThreadPoolExecutor(1) as beside:
            multilingual = beside.submit(self.multilingual.embed_questions, [texts[0], texts[-1]])
            english = self.english.embed(texts)
            rows = multilingual.result()[[0] * (len(texts) - 1) + [1]]
            return _join_vectors(english, rows, ENGLISH_SHARE)

    def embed_parts(self, texts: list[str], is_english: npt.NDArray[np.bool_]) -> Vectors:
        """The vectors of parts of entries, one row a text."""
        if self.multilingual is None:
            return self.english.embed(texts)
        share = np.where(is_english, ENGLISH_SHARE, 0.0)[:, None]
        return _join_vectors(self.english.embed(texts), self.multilingual.embed_passages(texts), share)


def _join_vectors(one: Vectors, other: Vectors, share: float | npt.NDArray[np.float64]) -> Vectors:
    """Unit vectors in which the first model's part weighs ``share``."""
    return np.concatenate([np.sqrt(share) * one, np.sqrt(1 - share) * other], axis=1, dtype=np.float32)
