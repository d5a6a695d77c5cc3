"""The lexical index: BM25 with tantivy, in a folder shared by several processes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Lock

import tantivy
from tantivy import Filter, Occur, Query, TextAnalyzerBuilder, Tokenizer

from knowledge.entries.editor import Changed
from knowledge.text.features import normalise_text
from knowledge.types import Entry

LAYOUT = "v2"
"""Part of the folder name; bump it when the fields below change, to start a fresh index."""
OWN_WORDS = "own_words"
"""Field with the entry's questions or heading, each as one term."""
SAME = 100
"""Maximum number of entries returned for an exact match."""
BOOSTS = {"questions": 2.0, "subject": 1.5, "title": 1.0, "answer": 0.5}
HEAP_BYTES = 30_000_000
WORDS_ASKED = 64
"""Maximum words per query; a customer may paste a page, and more words do not improve the search."""
FEW_REMOVED, WORN = 20, 0.1
"""Number of removed documents, and their share of the current ones, that trigger a rewrite of the index."""
WRITER_TRIES = 40
WRITER_PAUSE_S = 0.05

Scores = dict[str, float]


@dataclass(frozen=True)
class Reached:
    """How far an index has been synced: a revision of the database identified by ``epoch``."""

    epoch: str = ""
    revision: int = 0
    removed: int = field(default=0, compare=False)
    """Documents removed or replaced since the last rewrite; tantivy's statistics still count them."""


class LexicalIndex:
    """One folder per tenant; every process reads it, and one at a time writes."""

    def __init__(self, folder: Path, pause: Callable[[float], None] = time.sleep) -> None:
        self._folder = folder
        self._pause = pause
        self._open: dict[str, _Opened] = {}
        self._lock = Lock()

    def reached(self, tenant_id: str) -> Reached:
        """Return how far the index on disk has been synced."""
        try:
            return Reached(**json.loads((self._get_index_path(tenant_id) / "reached.json").read_text()))
        except FileNotFoundError:
            return Reached()

    def write(self, tenant_id: str, changes: Sequence[Changed], reached: Reached, *, tries: int = WRITER_TRIES) -> bool:
        """Apply changes; return False if another process held the writer during all tries."""
        opened = self._open_index(tenant_id)
        with opened.lock:
            writer = self._open_writer(opened.index, tries)
            if writer is None:
                return False
            before = self.reached(tenant_id)
            if before.epoch not in ("", reached.epoch):
                writer.delete_all_documents()
            for change in changes:
                writer.delete_documents_by_term("id", change.id)
                if change.entry is not None:
                    writer.add_document(_build_document(change.entry))
            writer.commit()
            replaced = sum(change.entry is None or change.version > 1 for change in changes)
            self._store_reached(tenant_id, replace(reached, removed=before.removed + replaced))
            opened.seen = None
            writer.wait_merging_threads()
        return True

    def is_worn(self, tenant_id: str) -> bool:
        """Whether removed documents distort the word statistics."""
        return self.reached(tenant_id).removed > max(FEW_REMOVED, WORN * self.count(tenant_id))

    def rewrite(self, tenant_id: str, batches: Iterable[Sequence[Changed]], reached: Reached) -> None:
        """Rewrite the whole index, which stays searchable until the commit; skipped if another process is writing."""
        opened = self._open_index(tenant_id)
        with opened.lock:
            writer = self._open_writer(opened.index, WRITER_TRIES)
            if writer is None:
                return
            writer.delete_all_documents()
            for batch in batches:
                for change in batch:
                    if change.entry is not None:
                        writer.add_document(_build_document(change.entry))
            writer.commit()
            self._store_reached(tenant_id, replace(reached, removed=0))
            opened.seen = None
            writer.wait_merging_threads()

    def clear(self, tenant_id: str) -> None:
        """Remove all entries of a tenant."""
        opened = self._open_index(tenant_id)
        with opened.lock:
            writer = self._open_writer(opened.index, WRITER_TRIES)
            if writer is not None:
                writer.delete_all_documents()
                writer.commit()
                self._store_reached(tenant_id, Reached())
                opened.seen = None

    def search(self, tenant_id: str, text: str, count: int) -> Scores:
        """Return the best entries for a text, with their BM25 scores."""
        opened = self._open_current(tenant_id)
        query = opened.query(text)
        return opened.run(query, count) if query else {}

    def scores(self, tenant_id: str, text: str, ids: Sequence[str]) -> Scores:
        """Return the BM25 scores of the given entries; entries without a common word are omitted."""
        opened = self._open_current(tenant_id)
        query = opened.query(text)
        if query is None or not ids:
            return {}
        only = Query.const_score_query(Query.term_set_query(opened.schema, "id", list(ids)), 0.0)
        return opened.run(Query.boolean_query([(Occur.Must, only), (Occur.Must, query)]), len(ids))

    def named(self, tenant_id: str, text: str) -> list[str]:
        """Return the entries whose question or heading is exactly this text."""
        opened = self._open_current(tenant_id)
        return list(opened.run(Query.term_query(opened.schema, OWN_WORDS, normalise_text(text)), SAME))

    def known(self, tenant_id: str, words: Iterable[str]) -> set[str]:
        """Return the words that occur in the entries in some form; words not indexed for their length also count."""
        opened = self._open_current(tenant_id)
        return {word for word in words if opened.vocabulary.issuperset(opened.analyser.analyze(word))}

    def count(self, tenant_id: str) -> int:
        """Return the number of entries in the index."""
        return int(self._open_current(tenant_id).index.searcher().num_docs)

    def _open_current(self, tenant_id: str) -> _Opened:
        opened = self._open_index(tenant_id)
        reached = self.reached(tenant_id)
        if opened.seen != asdict(reached):
            opened.index.reload()
            opened.seen = asdict(reached)
            opened.forget_vocabulary()
        return opened

    def _open_index(self, tenant_id: str) -> _Opened:
        with self._lock:
            if tenant_id not in self._open:
                self._open[tenant_id] = _Opened(self._get_index_path(tenant_id))
            return self._open[tenant_id]

    def _get_index_path(self, tenant_id: str) -> Path:
        return self._folder / tenant_id.encode().hex() / LAYOUT

    def _open_writer(self, index: tantivy.Index, tries: int) -> tantivy.IndexWriter | None:
        for attempt in range(tries):
            try:
                return index.writer(heap_size=HEAP_BYTES, num_threads=1)
            except ValueError as error:
                if "LockBusy" not in str(error):
                    raise
            if attempt + 1 < tries:
                self._pause(WRITER_PAUSE_S)
        return None

    def _store_reached(self, tenant_id: str, reached: Reached) -> None:
        path = self._get_index_path(tenant_id) / "reached.json"
        written = path.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps(asdict(reached)))
        written.replace(path)


class _Opened:
    """An open tantivy index with its analyser."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.schema = _build_schema()
        self.analyser = _build_analyser()
        self.index = tantivy.Index(self.schema, path=str(path))
        self.index.register_tokenizer("words", self.analyser)
        self.lock = Lock()
        self._vocabulary: frozenset[str] | None = None
        self.seen: dict[str, object] | None = None
        """State the searcher shows; None forces a reload, since a recreated index may reach the same state again."""

    def query(self, text: str) -> Query | None:
        """Build a query for each word in each field; the text is never parsed as query syntax."""
        words = list(dict.fromkeys(self.analyser.analyze(text)))[:WORDS_ASKED]
        parts = [
            (Occur.Should, Query.boost_query(Query.term_query(self.schema, field, word), boost))
            for word in words
            for field, boost in BOOSTS.items()
        ]
        return Query.boolean_query(parts) if parts else None

    @property
    def vocabulary(self) -> frozenset[str]:
        """Stems of all words of all entries; computed on first access."""
        if self._vocabulary is None:
            searcher = self.index.searcher()
            self._vocabulary = frozenset(term for field in BOOSTS for term, _ in searcher.terms_with_prefix(field, ""))
        return self._vocabulary

    def forget_vocabulary(self) -> None:
        """Drop the vocabulary after the index has changed."""
        self._vocabulary = None

    def run(self, query: Query, count: int) -> Scores:
        searcher = self.index.searcher()
        hits = searcher.search(query, count, count=False).hits
        return {str(searcher.doc(address)["id"][0]): float(score) for score, address in hits}


def _build_schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw")
    builder.add_text_field(OWN_WORDS, tokenizer_name="raw", index_option="basic")
    for name in BOOSTS:
        builder.add_text_field(name, tokenizer_name="words", index_option="freq")
    return builder.build()


def _build_analyser() -> tantivy.TextAnalyzer:
    words = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.remove_long(60)).filter(Filter.lowercase())
    return (
        words.filter(Filter.ascii_fold()).filter(Filter.stopword("english")).filter(Filter.stemmer("english")).build()
    )


def _build_document(entry: Entry) -> tantivy.Document:
    return tantivy.Document(
        id=entry.id,
        own_words=[normalise_text(text) for text in entry.own_words],
        questions="\n".join(entry.questions),
        subject=entry.subject or "",
        title=entry.title or "",
        answer=entry.answer,
    )
