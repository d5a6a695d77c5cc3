"""Builds what this folder offers from the settings."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from core.db import Database
from core.errors import KnowledgeUnavailable
from core.llm.router.router import Router
from core.sentiment import Sentiment, skip_sentiment
from core.settings import Settings
from knowledge.answers.decision import Answering
from knowledge.answers.grounding import Grounding
from knowledge.answers.injection import OrderDetector
from knowledge.answers.lookup import HeldBook, Lookup
from knowledge.answers.part_writer import PartWriter
from knowledge.answers.prompt_texts import Prompts
from knowledge.answers.reuse.decision import Book, Reuse, StoredBook
from knowledge.answers.writer import Writer
from knowledge.curation.corrections.service import Corrections
from knowledge.embeddings.cached import RememberingEmbedder
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
from knowledge.relevance.matcher import TrainedMatcher
from knowledge.relevance.ranker import Ranker
from knowledge.relevance.reader import shipped_reader
from knowledge.sentiment.model import SentimentModel
from knowledge.text.speller import Speller
from knowledge.types import Embeds

log = logging.getLogger(__name__)


class EmbedderOnDemand:
    """Loads the model with the first text, since most commands never need it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _embedder(self) -> Embedder:
        return make_embedder(self._settings)

    def embed(self, texts: list[str]) -> Vectors:
        """One row a text."""
        return self._embedder.embed(texts)


@dataclass(frozen=True)
class Knowledge:
    """Everything that works on a tenant's knowledge."""

    database: Database
    spaces: Spaces
    words: LexicalIndex
    synchroniser: Synchroniser
    retriever: HybridRetriever
    importer: Importer

    def close(self) -> None:
        """Let go of connections."""
        self.spaces.close()


def make_sentiment(embedder: Embeds) -> Sentiment:
    """How messages sound; where its weights cannot be read nothing is known, and that is logged."""
    try:
        return SentimentModel(embedder)
    except (OSError, ValueError, KeyError):
        log.exception("no sentiment: the weights cannot be read")
        return skip_sentiment


def make_embedder(settings: Settings) -> Embedder:
    """The configured embedding model, loaded."""
    return Embedder(ModelFiles.in_folder(settings.embedding_model) if settings.embedding_model else None)


def make_knowledge(settings: Settings, database: Database, embedder: Embeds | None = None) -> Knowledge:
    """Everything; nothing is connected or loaded before it is used. ``embedder`` is the base model's."""
    embedder = embedder or EmbedderOnDemand(settings)
    model = settings.embedding_model.name if settings.embedding_model else "all-MiniLM-L6-v2, multilingual-e5-small"
    multilingual = None if settings.embedding_model else MultilingualEmbedder()
    base = VectorSpace(embedder, VectorIndex(settings.chroma(), model), multilingual)
    spaces = Spaces(base, settings.home, lambda tuned: VectorIndex(settings.chroma(), tuned))
    words = LexicalIndex(settings.home / "lexical")
    synchroniser = Synchroniser(database, spaces, words, settings.home / "index.lock")
    return Knowledge(
        database=database,
        spaces=spaces,
        words=words,
        synchroniser=synchroniser,
        retriever=HybridRetriever(database, spaces, words, synchroniser),
        importer=Importer(database),
    )


def make_fetcher(*, allow_private: bool) -> Fetcher:
    """Gets web pages for an import."""
    return Fetcher(allow_private=allow_private)


def make_index_sync(settings: Settings, database: Database) -> Callable[[], None]:
    """Brings the indexes of every tenant up to SQL; for a job that runs again and again."""
    synchroniser = make_knowledge(settings, database).synchroniser

    def sync_index() -> None:
        try:
            synchroniser.sync_all()
        except KnowledgeUnavailable as error:
            log.warning("knowledge is not indexed yet: %s", error)

    return sync_index


def import_folder(settings: Settings, database: Database, tenant_id: str, folder: Path) -> Report:
    """Import a folder as the team's own, approved at once; without Chroma it is indexed when that is back."""
    knowledge = make_knowledge(settings, database)
    fetcher = make_fetcher(allow_private=False)
    try:
        report = knowledge.importer.run(tenant_id, open_origin(str(folder), fetcher), Options())
        sync_quietly(knowledge.synchroniser, tenant_id)
    finally:
        fetcher.close()
        knowledge.close()
    return report


def make_ranker(knowledge: Knowledge) -> Ranker:
    """Reads entries as answering does."""
    return Ranker(shipped_reader(), RememberingEmbedder(knowledge.spaces.base.embedder))


def make_answering(
    settings: Settings,
    database: Database,
    embedder: Embedder | None = None,
    knowledge: Knowledge | None = None,
    book: Book | None = None,
) -> Answering:
    """Answers from everything that is approved."""
    embedder = embedder or make_embedder(settings)
    knowledge = knowledge or make_knowledge(settings, database, embedder)
    reuse = Reuse.shipped(book or StoredBook(database))
    ranker = Ranker(shipped_reader(), RememberingEmbedder(embedder))
    matcher, mend = TrainedMatcher(embedder), Speller(knowledge.words.known, knowledge.retriever.languages).mend
    return Answering(knowledge.retriever, matcher, ranker, bars=TenantBars(database), reuse=reuse, mend=mend)


def make_lookup(settings: Settings, database: Database, embedder: Embedder | None = None) -> Lookup:
    """Answers, looked up before a skill may act."""
    book = HeldBook(StoredBook(database))
    return Lookup(make_answering(settings, database, embedder, book=book), database, book)


def make_corrections(settings: Settings, database: Database, embedder: Embedder | None = None) -> Corrections:
    """Decides about corrections."""
    embedder = embedder or make_embedder(settings)
    knowledge = make_knowledge(settings, database, embedder)
    answering = make_answering(settings, database, embedder, knowledge)
    return Corrections(database, knowledge.synchroniser, answering, knowledge.close)


def make_similarity(settings: Settings) -> Callable[[str, str], float]:
    """How much two texts mean the same, -1 to 1; the model is loaded with the first pair."""
    embedder = RememberingEmbedder(EmbedderOnDemand(settings))

    def compute_similarity(one: str, other: str) -> float:
        vectors = embedder.embed([one, other])
        return float(vectors[0] @ vectors[1])

    return compute_similarity


def make_writer(
    settings: Settings,
    database: Database,
    router: Router,
    embedder: Embedder | None = None,
    lookup: Lookup | None = None,
) -> Writer:
    """Answering, with the router's models; what ``lookup`` has found already is not found again."""
    embedder, prompts = embedder or make_embedder(settings), Prompts.load()
    remembering = RememberingEmbedder(embedder)
    parts = PartWriter(router, prompts, Grounding(remembering))
    answering = lookup or make_lookup(settings, database, embedder)
    return Writer(answering, router, prompts, parts, OrderDetector(remembering))
