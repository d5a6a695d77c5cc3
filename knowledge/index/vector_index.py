"""The vector index: one Chroma collection per tenant with the served entries only."""

from __future__ import annotations

import hashlib
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import chromadb
import httpx
import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError, NotFoundError

from core.errors import KnowledgeUnavailable
from knowledge.embeddings.embedder import Vectors
from knowledge.relevance.units import VECTORS_PER_ENTRY

PUSHED_AT_ONCE = 1000
WRITES = ("/upsert", "/delete")
WRITE_TIMEOUT_S = 120.0
PAUSE_S = 1.0
"""Seconds to avoid Chroma after a failure, so that a hanging server does not slow every answer."""
HNSW = {"space": "cosine", "ef_construction": 200, "max_neighbors": 32, "ef_search": 300}
"""For 100,000 vectors: recall@10 over 0.98 in a few milliseconds (`bench retrieval`)."""

Scores = dict[str, float]


class VectorIndex:
    """Client of the Chroma server; ``model`` names the embedding model, so that vectors of two models never mix."""

    def __init__(
        self, url: str, model: str, timeout_s: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = httpx.URL(url)
        self._model = model
        self._timeout_s = timeout_s
        self._clock = clock
        self._client: ClientAPI | None = None
        self._collections: dict[tuple[str, str], Collection] = {}
        self._paused_until = 0.0

    def exists(self, tenant_id: str, epoch: str) -> bool:
        """Whether an index of this database and model exists.

        Raises:
            KnowledgeUnavailable: Chroma cannot be reached; the same holds for every method here.
        """
        with self._use_client():
            self._collections.pop((tenant_id, epoch), None)
            return self._find_collection(tenant_id, epoch) is not None

    def create(self, tenant_id: str, epoch: str) -> None:
        """Create an empty index, replacing any other one of this tenant."""
        self.drop(tenant_id)
        with self._use_client() as client:
            client.create_collection(
                self._get_collection_name(tenant_id),
                configuration={"hnsw": HNSW},
                metadata={"epoch": epoch},
                embedding_function=None,
            )

    def reached(self, tenant_id: str, epoch: str) -> tuple[int, str] | None:
        """Return the stored progress of an inactive index: a revision and its last entry; None if there is none."""
        with self._use_client():
            self._collections.pop((tenant_id, epoch), None)
            collection = self._find_collection(tenant_id, epoch)
        noted = collection.metadata if collection is not None else None
        return (int(noted["reached"]), str(noted["reached_id"])) if noted and "reached" in noted else None

    def note_reached(self, tenant_id: str, epoch: str, at: tuple[int, str]) -> None:
        """Store the progress in the collection; that of the active index is kept in SQL."""
        with self._use_client():
            self._require_collection(tenant_id, epoch).modify(
                metadata={"epoch": epoch, "reached": at[0], "reached_id": at[1]}
            )

    def drop(self, tenant_id: str) -> None:
        """Delete this tenant's index, if any."""
        with self._use_client() as client, suppress(NotFoundError):
            client.delete_collection(self._get_collection_name(tenant_id))
        self._collections.clear()

    def push(self, tenant_id: str, epoch: str, vectors: dict[str, Vectors]) -> None:
        """Add or replace entries, each with its vectors."""
        ids = [f"{entry}:{n}" for entry, rows in vectors.items() for n in range(len(rows))]
        if not ids:
            return
        stacked = np.concatenate(list(vectors.values()))
        with self._use_client():
            collection = self._require_collection(tenant_id, epoch)
            for start in range(0, len(ids), PUSHED_AT_ONCE):
                end = start + PUSHED_AT_ONCE
                collection.upsert(ids=ids[start:end], embeddings=stacked[start:end])

    def remove(self, tenant_id: str, epoch: str, beyond: dict[str, int]) -> None:
        """Delete each entry's vectors from the given position on."""
        ids = [f"{entry}:{n}" for entry, first in beyond.items() for n in range(first, VECTORS_PER_ENTRY)]
        with self._use_client():
            collection = self._require_collection(tenant_id, epoch)
            for start in range(0, len(ids), PUSHED_AT_ONCE):
                collection.delete(ids=ids[start : start + PUSHED_AT_ONCE])

    def nearest(self, tenant_id: str, epoch: str, vectors: Vectors, count: int) -> Scores:
        """Return the entries nearest to any of the vectors, each with its best cosine."""
        with self._use_client():
            collection = self._find_collection(tenant_id, epoch)
            if collection is None:
                raise KnowledgeUnavailable("The knowledge index has not been built yet.")
            rows = collection.query(query_embeddings=[*vectors], n_results=count, include=["distances"])
        return best_per_entry(rows["ids"], rows["distances"] or [])

    def vectors_of(self, tenant_id: str, epoch: str, counts: Mapping[str, int]) -> dict[str, Vectors]:
        """Return the given number of first vectors per entry, in order, as far as they are indexed."""
        ids = [f"{entry}:{n}" for entry, count in counts.items() for n in range(count)]
        if not ids:
            return {}
        with self._use_client():
            rows = self._require_collection(tenant_id, epoch).get(ids=ids, include=["embeddings"])
        embeddings = rows["embeddings"]
        found = dict(zip(rows["ids"], embeddings if embeddings is not None else [], strict=True))
        vectors: dict[str, list[Any]] = defaultdict(list)
        for vector_id in ids:
            if vector_id in found:
                vectors[vector_id.rpartition(":")[0]].append(found[vector_id])
        return {entry: np.asarray(own, dtype=np.float32) for entry, own in vectors.items()}

    def entry_ids(self, tenant_id: str, epoch: str) -> set[str]:
        """Return the ids of all indexed entries; scans the whole index."""
        found: set[str] = set()
        with self._use_client():
            collection = self._require_collection(tenant_id, epoch)
            for start in range(0, collection.count(), PUSHED_AT_ONCE):
                page = collection.get(limit=PUSHED_AT_ONCE, offset=start, include=[])
                found.update(vector_id.rpartition(":")[0] for vector_id in page["ids"])
        return found

    def is_alive(self) -> bool:
        try:
            with self._use_client() as client:
                client.heartbeat()
        except KnowledgeUnavailable:
            return False
        return True

    def close(self) -> None:
        """Close the client's connections."""
        if self._client is not None:
            self._client._server._session.close()  # noqa: SLF001 -- closing Chroma's client leaves them open
            self._client = None
            self._collections.clear()

    def _require_collection(self, tenant_id: str, epoch: str) -> Collection:
        collection = self._find_collection(tenant_id, epoch)
        if collection is None:
            raise KnowledgeUnavailable("The knowledge index has not been built yet.")
        return collection

    def _find_collection(self, tenant_id: str, epoch: str) -> Collection | None:
        known = self._collections.get((tenant_id, epoch))
        if known is not None:
            return known
        try:
            collection = self._get_client().get_collection(
                self._get_collection_name(tenant_id), embedding_function=None
            )
        except NotFoundError:
            return None
        if (collection.metadata or {}).get("epoch") != epoch:
            return None
        return self._collections.setdefault((tenant_id, epoch), collection)

    def _get_collection_name(self, tenant_id: str) -> str:
        digest = hashlib.sha256(f"{self._model}\n{tenant_id}".encode()).hexdigest()[:12]
        return f"knowledge-{re.sub(r'[^a-zA-Z0-9]+', '-', tenant_id)[:40].strip('-')}-{digest}"

    @contextmanager
    def _use_client(self) -> Iterator[ClientAPI]:
        if self._clock() < self._paused_until:
            raise KnowledgeUnavailable
        try:
            yield self._get_client()
        except NotFoundError as error:
            self._collections.clear()
            raise KnowledgeUnavailable("The knowledge index is being rebuilt.") from error
        except (httpx.HTTPError, ChromaError, ConnectionError) as error:
            self._paused_until = self._clock() + PAUSE_S
            raise KnowledgeUnavailable from error

    def _get_client(self) -> ClientAPI:
        if self._client is None:
            self._client = self._connect_client()
        return self._client

    def _connect_client(self) -> ClientAPI:
        secure = self._url.scheme == "https"
        settings = ChromaSettings(anonymized_telemetry=False)
        port = self._url.port or (443 if secure else 80)
        try:
            client = chromadb.HttpClient(host=self._url.host, port=port, ssl=secure, settings=settings)
        except ValueError as error:  # raised by the client if the connection is refused
            raise ConnectionError(str(error)) from error
        # Chroma's client never times out and offers no setting for it.
        session = client._server._session  # noqa: SLF001
        session.timeout = httpx.Timeout(self._timeout_s)
        session.event_hooks = {"request": [_be_patient_with_writes]}
        return client


def _be_patient_with_writes(request: httpx.Request) -> None:
    """Use a longer timeout for writes: no customer waits for them, and thousands of vectors take seconds."""
    if request.url.path.endswith(WRITES):
        request.extensions["timeout"] = httpx.Timeout(WRITE_TIMEOUT_S).as_dict()


def best_per_entry(ids: Sequence[Sequence[str]], distances: Sequence[Sequence[float]]) -> Scores:
    """Return the best cosine of each entry over several queries and over the entry's vectors."""
    best: Scores = {}
    for row, far in zip(ids, distances, strict=True):
        for vector_id, distance in zip(row, far, strict=True):
            entry = vector_id.rpartition(":")[0]
            best[entry] = max(best.get(entry, -1.0), 1.0 - distance)
    return best
