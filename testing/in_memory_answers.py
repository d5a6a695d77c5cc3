"""A retriever over entries held in memory: the double of the hybrid one, exact and without any server."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from knowledge.answers.decision import Answering
from knowledge.answers.reuse.decision import Reuse
from knowledge.embeddings.embedder import Embedder
from knowledge.embeddings.multilingual import MultilingualEmbedder
from knowledge.index.entry_vectors import TextEmbedder
from knowledge.relevance.matcher import TrainedMatcher
from knowledge.relevance.ranker import Ranker
from knowledge.relevance.reader import shipped_reader
from knowledge.relevance.units import spoken_parts
from knowledge.text.features import compute_overlap, normalise_text
from knowledge.types import Candidate, Entry


def make_answering_in_memory(entries: Sequence[Entry], embedder: Embedder, reuse: Reuse | None = None) -> Answering:
    """The shipped answering over a few entries, without any server."""
    ranker, texts = Ranker(shipped_reader(), embedder), TextEmbedder(embedder, MultilingualEmbedder())
    return Answering(InMemoryRetriever(entries, texts), TrainedMatcher(embedder), ranker, reuse=reuse)


class InMemoryRetriever:
    """Compares a question with every entry."""

    def __init__(self, entries: Sequence[Entry], embedder: TextEmbedder) -> None:
        self._entries = list(entries)
        self._embedder = embedder
        self._spoken = [spoken_parts(entry) for entry in self._entries]
        rows = [*embedder.embed_entries(self._entries).values()]
        self._owner = np.array([i for i, own in enumerate(rows) for _ in own], dtype=np.int64)
        self._vectors = np.concatenate(rows) if rows else np.zeros((0, 0), np.float32)

    def put(self, entry: Entry) -> None:
        """An entry in place of the one with its id."""
        place = next(i for i, known in enumerate(self._entries) if known.id == entry.id)
        self._entries[place], self._spoken[place] = entry, spoken_parts(entry)
        others = self._owner != place
        own = self._embedder.embed_entries([entry])[entry.id]
        self._vectors = np.concatenate([self._vectors[others], own])
        self._owner = np.concatenate([self._owner[others], np.full(len(own), place)])

    def candidates(self, tenant_id: str, texts: list[str], k: int = 10) -> list[Candidate]:
        """The nearest by meaning and shared words, best first; every tenant sees the same entries."""
        asked = [text for text in texts if text.strip()]
        if not asked or not self._entries:
            return []
        near = (self._vectors @ self._embedder.embed_asked(asked).T).max(axis=1)
        dense = np.full(len(self._entries), -1.0, dtype=np.float32)
        np.maximum.at(dense, self._owner, near)
        nearest = np.argsort(-dense)[: 4 * k]
        found = [Candidate(self._entries[i], float(dense[i]), self._compute_overlap(asked, i)) for i in nearest]
        return sorted(found, key=lambda c: -(c.dense + 0.25 * c.lexical))[:k]

    def named(self, tenant_id: str, text: str) -> list[Entry]:
        """The entries that go by exactly these words."""
        asked = normalise_text(text)
        return [entry for entry in self._entries if asked and asked in map(normalise_text, entry.own_words)]

    def _compute_overlap(self, asked: list[str], entry: int) -> float:
        return max(compute_overlap(text, own) for text in asked for own in self._spoken[entry])
