"""Builds the knowledge components from the settings; one ``Knowledge`` object per process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Protocol

from core.db import Database
from core.errors import KnowledgeUnavailable
from core.llm.router.router import Router
from core.settings import Settings
from knowledge.answers.decision import Answering
from knowledge.answers.grounding import Grounding
from knowledge.answers.injection import OrderDetector
from knowledge.answers.lookup import DeferredReuseStore, Lookup
from knowledge.answers.part_writer import PartWriter
from knowledge.answers.prompt_texts import Prompts
from knowledge.answers.reuse.decision import Reuse, ReuseStore, SqlReuseStore
from knowledge.answers.writer import Writer
from knowledge.curation.corrections.service import Corrections
from knowledge.curation.review.service import ReviewService
from knowledge.embeddings.cached import CachedEmbedder
from knowledge.embeddings.embedder import Embedder, ModelFiles, Vectors
from knowledge.embeddings.multilingual import MultilingualEmbedder
from knowledge.imports.importer import Importer, Options, Report
from knowledge.imports.sources.fetcher import Fetcher
from knowledge.imports.sources.origins import open_origin
from knowledge.index.lexical_index import LexicalIndex
from knowledge.index.retriever import HybridRetriever
from knowledge.index.spaces import Spaces, VectorSpace
from knowledge.index.synchroniser import Synchroniser, sync_quietly
from knowledge.index.vector_index import VectorIndex
from knowledge.relevance.bars import TenantBars
from knowledge.relevance.matcher import TokenEmbedder, TrainedMatcher
from knowledge.relevance.ranker import Ranker
from knowledge.relevance.reader import shipped_reader
from knowledge.text.speller import Speller
from knowledge.types import Embeds

SHIPPED = "all-MiniLM-L6-v2, multilingual-e5-small"
"""The collection name for vectors of the shipped models."""
log = logging.getLogger(__name__)


class TextModel(Embeds, TokenEmbedder, Protocol):
    """Embeds texts and their tokens."""


class EmbedderOnDemand:
    """Loads the embedding model on first use, since most commands never need it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _embedder(self) -> Embedder:
        return make_embedder(self._settings)

    def embed(self, texts: list[str]) -> Vectors:
        """Return one row per text."""
        return self._embedder.embed(texts)

    def token_vectors(self, texts: list[str]) -> list[Vectors]:
        """Return one row per token for each text."""
        return self._embedder.token_vectors(texts)


class Knowledge:
    """Creates each component once, on first access; nothing is connected or loaded before it is used."""

    def __init__(self, settings: Settings, database: Database, embedder: TextModel | None = None) -> None:
        """``embedder`` is the base model; by default the configured one, loaded on first use."""
        self.database = database
        self.embedder: TextModel = embedder or EmbedderOnDemand(settings)
        self._settings = settings

    @cached_property
    def spaces(self) -> Spaces:
        """The vector spaces of the base model and of tuned models."""
        chosen, chroma = self._settings.embedding_model, self._settings.chroma()
        multilingual = None if chosen else MultilingualEmbedder()
        base = VectorSpace(self.embedder, VectorIndex(chroma, chosen.name if chosen else SHIPPED), multilingual)
        return Spaces(base, self._settings.home, lambda tuned: VectorIndex(chroma, tuned))

    @cached_property
    def words(self) -> LexicalIndex:
        return LexicalIndex(self._settings.home / "lexical")

    @cached_property
    def synchroniser(self) -> Synchroniser:
        """Keeps both indexes in sync with SQL."""
        return Synchroniser(self.database, self.spaces, self.words, self._settings.home / "index.lock")

    @cached_property
    def retriever(self) -> HybridRetriever:
        """Finds entries with both indexes."""
        return HybridRetriever(self.database, self.spaces, self.words, self.synchroniser)

    @cached_property
    def importer(self) -> Importer:
        return Importer(self.database)

    @cached_property
    def cached_embedder(self) -> CachedEmbedder:
        """An embedder with a cache, for texts that recur with every question."""
        return CachedEmbedder(self.embedder)

    @cached_property
    def ranker(self) -> Ranker:
        """Ranks entries by reading them together with a question."""
        return Ranker(shipped_reader(), self.cached_embedder)

    @cached_property
    def answering(self) -> Answering:
        """Decides what to answer from the approved entries."""
        return self._make_answering(SqlReuseStore(self.database))

    @cached_property
    def lookup(self) -> Lookup:
        """Like ``answering``, but runs before a skill may act; keeps its result for the action that answers."""
        book = DeferredReuseStore(SqlReuseStore(self.database))
        return Lookup(self._make_answering(book), self.database, book)

    @cached_property
    def corrections(self) -> Corrections:
        return Corrections(self.database, self.synchroniser, self.answering, self.close)

    def make_review(self, forget: Callable[[str], None] = lambda _tenant_id: None) -> ReviewService:
        """Return the review service for staff; ``forget`` drops a tenant's cached answers."""
        return ReviewService(self.database, self.synchroniser, forget)

    def make_writer(self, router: Router) -> Writer:
        """Return a writer that answers questions with the router's models."""
        prompts = Prompts.load()
        parts = PartWriter(router, prompts, Grounding(self.cached_embedder))
        return Writer(self.lookup, router, prompts, parts, OrderDetector(self.cached_embedder))

    def sync_indexes(self) -> None:
        """Sync the indexes of every tenant with SQL; for a recurring job."""
        try:
            self.synchroniser.sync_all()
        except KnowledgeUnavailable as error:
            log.warning("knowledge is not indexed yet: %s", error)

    def import_folder(self, tenant_id: str, folder: Path) -> Report:
        """Import a folder as the team's own, approved at once; if Chroma is down, it is indexed once Chroma is back."""
        with closing(Fetcher()) as fetcher:
            report = self.importer.run(tenant_id, open_origin(str(folder), fetcher), Options())
        sync_quietly(self.synchroniser, tenant_id)
        return report

    def compute_similarity(self, one: str, other: str) -> float:
        """Return the cosine similarity of two texts, -1 to 1."""
        vectors = self.cached_embedder.embed([one, other])
        return float(vectors[0] @ vectors[1])

    def close(self) -> None:
        """Close all open connections."""
        if "spaces" in vars(self):
            self.spaces.close()

    @cached_property
    def _matcher(self) -> TrainedMatcher:
        return TrainedMatcher(self.embedder)

    def _make_answering(self, book: ReuseStore) -> Answering:
        mend = Speller(self.words.known, self.retriever.languages).mend
        bars, reuse = TenantBars(self.database), Reuse.shipped(book)
        return Answering(self.retriever, self._matcher, self.ranker, bars=bars, reuse=reuse, mend=mend)


def make_embedder(settings: Settings) -> Embedder:
    """Load the configured embedding model."""
    return Embedder(ModelFiles.in_folder(settings.embedding_model) if settings.embedding_model else None)
