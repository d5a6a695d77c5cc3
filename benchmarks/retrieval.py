"""`bench retrieval`: 1,000, 10,000 and 100,000 entries: import rate, time of a query, recall against exact search.

The questions are real ones (BANKING77 and CLINC150, training part). There are not 100,000 of them, and embedding so
many takes minutes, so larger sizes repeat them as numbered variations: the words carry the number, and the vector is
the question's own one moved by random noise. Everything else is the shipped path: a CSV imported by the importer into
SQLite, both indexes synchronised, a real Chroma server. The queries are questions that were not imported, embedded
for real within the measured time.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.public_data import read_rows
from benchmarks.report import Result, at_least, at_most
from core.db import Database
from core.db.upgrade import upgrade_database
from core.settings import Settings
from knowledge.embeddings.embedder import Embedder, Vectors
from knowledge.embeddings.multilingual import MultilingualEmbedder
from knowledge.entries import editor
from knowledge.imports.importer import Importer, Options
from knowledge.imports.sources.fetcher import Fetcher
from knowledge.imports.sources.origins import open_origin
from knowledge.index.retriever import VECTORS_ASKED
from knowledge.index.spaces import VectorSpace
from knowledge.relevance.units import VECTORS_PER_ENTRY
from knowledge.services import Knowledge
from testing.instance import chroma_server

SIZES = (1_000, 10_000, 100_000)
QUERIES = 200
NOISE = 0.5
NEAREST = 10
SETS = ("banking77", "clinc150")
MARK = " / variation "
TENANT = "bench"


def run(data: Path) -> Result:
    """Measure each size in a home of its own."""
    questions = _questions(data)
    asked, known = questions[:QUERIES], questions[QUERIES:]
    embedder = Embedder()
    varied = VariedEmbedder(embedder, known)
    figures: dict[str, Any] = {"embedding_texts_per_second": round(varied.rate)}
    for size in SIZES:
        print(f"measuring {size} entries", file=sys.stderr)
        figures[str(size)] = _measured(size, known, asked, varied)
    largest = figures[str(SIZES[-1])]
    return {
        "figures": figures,
        "targets": [
            at_most(f"p50 of a query at {SIZES[-1]} entries, ms", largest["query_p50_ms"], 20),
            at_least(f"recall@10 at {SIZES[-1]} entries", largest["recall_at_10"], 0.98),
        ],
        "notes": [
            "beyond the real questions, entries are variations with noisy vectors; see the module's first lines",
            "query: embedding, Chroma, word index and entries from SQL; vector query: Chroma alone",
            "import rates are without embedding, whose own rate is the first figure",
        ],
    }


class VariedEmbedder:
    """Embeds for real, except for numbered variations of known questions: these get the question's vector and noise."""

    def __init__(self, embedder: Embedder, known: list[str]) -> None:
        self._embedder = embedder
        started = time.perf_counter()
        self._known = dict(zip(known, embedder.embed(known), strict=True))
        self.rate = len(known) / (time.perf_counter() - started)

    def embed(self, texts: list[str]) -> Vectors:
        """One row a text."""
        if not all(MARK in text for text in texts):
            return self._embedder.embed(texts)
        return np.stack([self._moved(text) for text in texts])

    def token_vectors(self, texts: list[str]) -> list[Vectors]:
        """As the model has them."""
        return self._embedder.token_vectors(texts)

    def _moved(self, text: str) -> Vectors:
        own = self._known[text.partition(MARK)[0]]
        noise = np.random.default_rng(zlib.crc32(text.encode())).normal(0, NOISE / len(own) ** 0.5, len(own))
        moved = own + noise.astype(np.float32)
        return np.asarray(moved / np.linalg.norm(moved), dtype=np.float32)


class VariedMultilingual(MultilingualEmbedder):
    """The same vectors in place of the multilingual model's."""

    def __init__(self, varied: VariedEmbedder) -> None:
        super().__init__()
        self.embed_questions = self.embed_passages = varied.embed  # type: ignore[method-assign]


def _measured(size: int, known: list[str], asked: list[str], embedder: VariedEmbedder) -> dict[str, Any]:
    texts = [f"{known[n % len(known)]}{MARK}{n}" for n in range(size)]
    with tempfile.TemporaryDirectory() as folder, chroma_server(Path(folder)) as url:
        settings = Settings(home=Path(folder), chroma_url=url, _env_file=None)
        database = Database(settings.database())
        upgrade_database(database)
        knowledge = Knowledge(settings, database, embedder)
        index = knowledge.spaces.base.index
        knowledge.spaces.base = VectorSpace(embedder, index, VariedMultilingual(embedder))
        figures = _imported(knowledge, Path(folder), texts)
        figures |= _recall(knowledge, database, asked)
        figures |= _queried(knowledge, asked)
        knowledge.close()
        database.close()
    return figures


def _imported(knowledge: Knowledge, folder: Path, texts: list[str]) -> dict[str, Any]:
    path = folder / "faq.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("question", "answer"), *((text, f"Answer to {text}") for text in texts)])
    fetcher = Fetcher()
    started = time.perf_counter()
    Importer(knowledge.database).run(TENANT, open_origin(str(path), fetcher), Options())
    stored = time.perf_counter()
    knowledge.synchroniser.sync_words(TENANT)
    worded = time.perf_counter()
    knowledge.synchroniser.sync(TENANT)
    ended = time.perf_counter()
    fetcher.close()
    return {
        "stored_per_second": round(len(texts) / (stored - started)),
        "words_indexed_per_second": round(len(texts) / (worded - stored)),
        "vectors_indexed_per_second": round(len(texts) / (ended - worded)),
        "imported_per_second": round(len(texts) / (ended - started)),
    }


def _recall(knowledge: Knowledge, database: Database, asked: list[str]) -> dict[str, Any]:
    """How many of the ten entries that exact search finds the index finds, too; and how long it takes."""
    embedder = knowledge.spaces.base.texts
    with database.session() as session:
        revision = editor.revision_of(session, TENANT)
        ids = [entry.id for entry in editor.list_entries(session, TENANT, limit=SIZES[-1])]
        served = list(editor.load_served_entries(session, TENANT, ids).values())
    assert revision is not None
    rows = embedder.embed_entries(served)
    everything, owners = np.concatenate(list(rows.values())), np.repeat(list(rows), list(map(len, rows.values())))
    hits, took = 0, []
    for text in asked:
        vector = embedder.embed_asked([text])[0]
        best = np.argsort(-(everything @ vector))[: VECTORS_PER_ENTRY * NEAREST]
        exact = set(list(dict.fromkeys(owners[best].tolist()))[:NEAREST])
        started = time.perf_counter()
        scores = knowledge.spaces.base.index.nearest(TENANT, revision.epoch, vector[None], VECTORS_ASKED * NEAREST)
        took.append((time.perf_counter() - started) * 1000)
        hits += len(exact & set(sorted(scores, key=lambda entry: -scores[entry])[:NEAREST]))
    return {"recall_at_10": hits / (NEAREST * len(asked)), **_spread("vector_query", took)}


def _queried(knowledge: Knowledge, asked: list[str]) -> dict[str, Any]:
    """Whole queries, each text asked once and never seen by this embedder."""
    fresh = Embedder()
    knowledge.retriever._spaces.base = VectorSpace(fresh, knowledge.spaces.base.index, MultilingualEmbedder())  # noqa: SLF001 -- the other one has these texts in its memory
    knowledge.retriever.candidates(TENANT, ["warm up"], NEAREST)
    took = []
    for text in asked:
        started = time.perf_counter()
        knowledge.retriever.candidates(TENANT, [text], NEAREST)
        took.append((time.perf_counter() - started) * 1000)
    return _spread("query", took)


def _spread(name: str, took: list[float]) -> dict[str, float]:
    return {f"{name}_p{p}_ms": round(float(np.percentile(took, p)), 2) for p in (50, 95)}


def _questions(data: Path) -> list[str]:
    rows = (row for name in SETS for row in read_rows(data / name / "train.jsonl"))
    unique = list(dict.fromkeys(" ".join(str(row["text"]).split()) for row in rows))  # as an import keeps them
    order = np.random.default_rng(7).permutation(len(unique))[:10_200]
    return [unique[n] for n in order]
