"""Hybrid retrieval by vectors and words, scored together; entries are read from SQL, so none is stale."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import TypeVar

from core.db import Database
from core.errors import KnowledgeUnavailable
from knowledge.embeddings.embedder import Vectors
from knowledge.entries import editor as entries
from knowledge.entries.editor import Revision
from knowledge.index.lexical_index import LexicalIndex
from knowledge.index.spaces import Spaces, VectorSpace
from knowledge.index.synchroniser import Synchroniser
from knowledge.index.vector_index import Scores
from knowledge.relevance.units import VECTORS_PER_ENTRY, indexed_parts, units_spoken
from knowledge.text.features import normalise_text
from knowledge.types import Candidate, Entry

log = logging.getLogger(__name__)
K = TypeVar("K")
V = TypeVar("V")

DENSE_SHARE = 0.75
HALF_WORDED = 8.0
"""The BM25 score that counts half; with ranks alone, a shared "my" would weigh as much as a shared name."""
VECTORS_ASKED = 4
"""Multiple of ``k``, since an entry has several vectors."""
WORDS_MISSED = 200
"""Maximum entries added to the lexical index during a question; more are left to the sync job."""
ENTRIES_KEPT = 5_000


class HybridRetriever:
    """Finds candidates by meaning and by words; without Chroma it searches words and computes cosines itself."""

    def __init__(
        self,
        database: Database,
        spaces: Spaces,
        words: LexicalIndex,
        synchroniser: Synchroniser,
    ) -> None:
        self._database = database
        self._spaces = spaces
        self._words = words
        self._synchroniser = synchroniser
        self._known: dict[str, EntryCache] = {}

    def candidates(self, tenant_id: str, texts: list[str], k: int = 10) -> list[Candidate]:
        """Return at most ``k`` candidates for any of the texts, best first.

        Raises:
            KnowledgeUnavailable: neither Chroma nor the lexical index can be used.
        """
        asked = [text for text in dict.fromkeys(texts) if text.strip()]
        shelf = self._get_shelf(tenant_id)
        if shelf is None or not asked:
            return []
        vectors = shelf.space.texts.embed_asked(asked)
        dense = self._search_vectors(shelf, vectors, k)
        lexical = self._search_words(shelf, asked, k, needed=dense is None)
        known = shelf.entries(_build_shortlist(dense or {}, lexical, k))
        dense = self._dense_of(shelf, list(known.values()), dense or {}, vectors)
        lexical = self._lexical_of(tenant_id, list(known), lexical, asked)
        best = [known[i] for i in fuse_rankings(dense, lexical) if i in known][:k]
        units = self._units_of(shelf, best, vectors)
        return [Candidate(e, dense.get(e.id, 0.0), lexical.get(e.id, 0.0), units.get(e.id, ())) for e in best]

    def named(self, tenant_id: str, text: str) -> list[Entry]:
        """Return the entries whose question or heading is exactly this text; empty if the lexical index cannot be used."""
        shelf = self._get_shelf(tenant_id)
        if shelf is None or not normalise_text(text):
            return []
        try:
            self._sync_words(shelf)
            return list(shelf.entries(self._words.named(tenant_id, text)).values())
        except (OSError, ValueError) as error:
            log.warning("word index cannot be used: %s", error)
            return []

    def languages(self, tenant_id: str) -> frozenset[str]:
        """Return the languages of the served entries."""
        shelf = self._get_shelf(tenant_id)
        return shelf.languages if shelf else frozenset()

    def _get_shelf(self, tenant_id: str) -> EntryCache | None:
        with self._database.session() as session:
            revision = entries.revision_of(session, tenant_id)
        if revision is None:
            return None
        shelf, space = self._known.get(tenant_id), self._spaces.serving(revision.model)
        if shelf is None or shelf.revision.epoch != revision.epoch or shelf.space is not space:
            shelf = self._known[tenant_id] = EntryCache(self._database, space, tenant_id, revision)
        shelf.move_to(revision)
        return shelf

    def _search_vectors(self, shelf: EntryCache, vectors: Vectors, k: int) -> Scores | None:
        try:
            return shelf.space.index.nearest(shelf.tenant_id, shelf.revision.epoch, vectors, VECTORS_ASKED * k)
        except KnowledgeUnavailable as error:
            log.warning("knowledge index does not answer, going on with words alone: %s", error)
            return None

    def _search_words(self, shelf: EntryCache, texts: list[str], k: int, *, needed: bool) -> Scores:
        try:
            self._sync_words(shelf)
            found = [self._words.search(shelf.tenant_id, text, 2 * k) for text in texts]
        except (OSError, ValueError) as error:
            if needed:
                raise KnowledgeUnavailable from error
            log.warning("word index cannot be used: %s", error)
            return {}
        return merge_best_scores(found)

    def _sync_words(self, shelf: EntryCache) -> None:
        self._synchroniser.sync_words(shelf.tenant_id, at_most=WORDS_MISSED, tries=1, revision=shelf.revision)

    def _dense_of(self, shelf: EntryCache, chosen: Sequence[Entry], dense: Scores, vectors: Vectors) -> Scores:
        """Return the cosines of all chosen entries; compute those found by words only."""
        missing = [entry for entry in chosen if entry.id not in dense]
        own = shelf.vectors(missing, self._vectors_of)
        return {**dense, **{entry: float((vectors @ rows.T).max()) for entry, rows in own.items() if len(rows)}}

    def _units_of(self, shelf: EntryCache, best: Sequence[Entry], vectors: Vectors) -> dict[str, tuple[float, ...]]:
        """Return the cosines of the units of long answers."""
        places = {entry.id: units_spoken(entry) for entry in best}
        long = [entry for entry in best if len(places[entry.id]) > 1 and places[entry.id].stop <= VECTORS_PER_ENTRY]
        own = shelf.vectors(long, self._vectors_of)
        near = {entry: (vectors @ rows[list(places[entry])].T).max(axis=0) for entry, rows in own.items()}
        return {entry: tuple(map(float, cosines)) for entry, cosines in near.items()}

    def _vectors_of(self, shelf: EntryCache, missing: Sequence[Entry]) -> dict[str, Vectors]:
        counts = {entry.id: len(indexed_parts(entry)) for entry in missing}
        found = self._load_indexed_vectors(shelf, counts)
        return found | shelf.space.texts.embed_entries([entry for entry in missing if entry.id not in found])

    def _load_indexed_vectors(self, shelf: EntryCache, counts: Mapping[str, int]) -> dict[str, Vectors]:
        """Load complete vectors from the index, if it is up to date."""
        if shelf.revision.indexed < shelf.revision.number:
            return {}
        try:
            found = shelf.space.index.vectors_of(shelf.tenant_id, shelf.revision.epoch, counts)
        except KnowledgeUnavailable:
            return {}
        return {entry: rows for entry, rows in found.items() if len(rows) == counts[entry]}

    def _lexical_of(self, tenant_id: str, chosen: Sequence[str], lexical: Scores, texts: list[str]) -> Scores:
        missing = [entry for entry in chosen if entry not in lexical]
        if not missing:
            return lexical
        try:
            return {**lexical, **merge_best_scores([self._words.scores(tenant_id, text, missing) for text in texts])}
        except (OSError, ValueError):
            return lexical


class EntryCache:
    """In-memory cache of a tenant's entries, and of their vectors in one space."""

    def __init__(self, database: Database, space: VectorSpace, tenant_id: str, revision: Revision) -> None:
        self.space = space
        self.tenant_id = tenant_id
        self.revision = revision
        self._database = database
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._vectors: OrderedDict[tuple[str, int], Vectors] = OrderedDict()
        self._lock = Lock()
        self.languages = self._load_languages()
        """Languages of the served entries."""

    def move_to(self, revision: Revision) -> None:
        """Move to a revision and drop the entries changed since."""
        with self._lock:
            before = self.revision.number
            if revision.number != before:
                with self._database.session() as session:
                    changed = entries.changed_ids(session, self.tenant_id, min(before, revision.number))
                self.languages = self._load_languages()
                for entry_id in changed:
                    self._entries.pop(entry_id, None)
            self.revision = revision

    def _load_languages(self) -> frozenset[str]:
        with self._database.session() as session:
            return frozenset(entries.list_entry_languages(session, self.tenant_id))

    def entries(self, ids: Sequence[str]) -> dict[str, Entry]:
        """Return the given entries that may be served."""
        with self._lock:
            missing = [i for i in ids if i not in self._entries]
            if missing:
                with self._database.session() as session:
                    _store_in_cache(self._entries, entries.load_served_entries(session, self.tenant_id, missing))
            return {i: self._entries[i] for i in ids if i in self._entries}

    def vectors(
        self, wanted: Sequence[Entry], load: Callable[[EntryCache, Sequence[Entry]], dict[str, Vectors]]
    ) -> dict[str, Vectors]:
        """Return the vectors of the given entries; ``load`` fetches those not cached."""
        missing = [entry for entry in wanted if (entry.id, entry.version) not in self._vectors]
        loaded = load(self, missing) if missing else {}
        with self._lock:
            _store_in_cache(self._vectors, {(e.id, e.version): loaded[e.id] for e in missing if e.id in loaded})
            return {e.id: self._vectors[e.id, e.version] for e in wanted if (e.id, e.version) in self._vectors}


def _store_in_cache(kept: OrderedDict[K, V], new: Mapping[K, V]) -> None:
    kept.update(new)
    while len(kept) > max(ENTRIES_KEPT, len(new)):
        kept.popitem(last=False)


def _build_shortlist(dense: Scores, lexical: Scores, k: int) -> list[str]:
    """The first ``k`` of both together and of the words alone, since their meaning is not yet compared."""
    return list(dict.fromkeys([*fuse_rankings(dense, lexical)[: k + k // 2], *fuse_rankings({}, lexical)[: k // 2]]))


def merge_best_scores(found: Sequence[Scores]) -> Scores:
    """The best score of each entry over several searches."""
    best: Scores = {}
    for scores in found:
        for entry, score in scores.items():
            best[entry] = max(best.get(entry, score), score)
    return best


def fuse_rankings(dense: Scores, lexical: Scores) -> list[str]:
    """Entry ids, best first, by both scores together."""

    def compute_fused_score(entry: str) -> float:
        words = lexical.get(entry, 0.0)
        return DENSE_SHARE * dense.get(entry, 0.0) + (1 - DENSE_SHARE) * words / (words + HALF_WORDED)

    return sorted(dense.keys() | lexical.keys(), key=lambda entry: (-compute_fused_score(entry), entry))
