"""Vectors of entries and queries: the concatenated vectors of two models.

The cosine of two such vectors is the weighted mean of the models' cosines. A second model of a different kind beside
MiniLM ranks the right entry first more often; see `benchmarks/README.md`. Non-English entries use the multilingual model
alone.
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
"""Weight of the first model's cosine; the multilingual one's has the rest."""


@dataclass(frozen=True)
class TextEmbedder:
    """Embeds with both models, or with the first alone if there is no multilingual one."""

    english: Embeds
    multilingual: MultilingualEmbedder | None = None

    def embed_entries(self, wanted: Sequence[Entry]) -> dict[str, Vectors]:
        """Return the vectors of entries, one row per indexed part."""
        texts = {entry.id: indexed_parts(entry) for entry in wanted}
        flat = [text for own in texts.values() for text in own]
        if not flat:
            return {entry: np.zeros((0, 0), np.float32) for entry in texts}
        is_english = [entry.language == ENGLISH for entry in wanted for _ in texts[entry.id]]
        ends = np.cumsum([len(own) for own in texts.values()])[:-1]
        return dict(zip(texts, np.split(self.embed_parts(flat, np.array(is_english)), ends), strict=True))

    def embed_asked(self, texts: list[str]) -> Vectors:
        """Embed the variants of one question as queries, with both models in parallel.

        The multilingual model takes ten times as long, so it embeds only the first text, also used for those in between, and
        the last one, which contains most of the preceding turns.
        """
        if self.multilingual is None:
            return self.english.embed(texts)
        with ThreadPoolExecutor(1) as beside:
            multilingual = beside.submit(self.multilingual.embed_questions, [texts[0], texts[-1]])
            english = self.english.embed(texts)
            rows = multilingual.result()[[0] * (len(texts) - 1) + [1]]
            return _join_vectors(english, rows, ENGLISH_SHARE)

    def embed_parts(self, texts: list[str], is_english: npt.NDArray[np.bool_]) -> Vectors:
        """Embed parts of entries, one row per text."""
        if self.multilingual is None:
            return self.english.embed(texts)
        share = np.where(is_english, ENGLISH_SHARE, 0.0)[:, None]
        return _join_vectors(self.english.embed(texts), self.multilingual.embed_passages(texts), share)


def _join_vectors(one: Vectors, other: Vectors, share: float | npt.NDArray[np.float64]) -> Vectors:
    """Concatenate unit vectors; the first model's part has the weight ``share``."""
    return np.concatenate([np.sqrt(share) * one, np.sqrt(1 - share) * other], axis=1, dtype=np.float32)
