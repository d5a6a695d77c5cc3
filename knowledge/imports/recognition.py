"""Recognise sources, documents and entries of earlier imports, even if they have moved."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import KnowledgeEntry, SourceDocument
from knowledge.imports.chunker import Chunk

SAME = 0.5
"""The share of the larger source's documents that must be identical, byte for byte, for two sources to be the same."""
SAME_NAMES = (0.5, 0.2)
"""Alternatively, the shares of equal paths and of equal bytes, as in a later export of the source."""
NUMBERED = re.compile(r" #\d+$")

Uri = str
Hash = str


@dataclass(frozen=True)
class KnownDocument:
    """A document that was imported before."""

    id: str
    source: str
    uri: Uri
    data_hash: Hash
    gone: bool


def known_documents(session: Session, tenant_id: str) -> list[KnownDocument]:
    """Return all documents of a tenant."""
    fields = (
        SourceDocument.id,
        SourceDocument.origin,
        SourceDocument.uri,
        SourceDocument.data_hash,
        SourceDocument.gone,
    )
    rows = session.execute(select(*fields).where(SourceDocument.tenant_id == tenant_id).order_by(SourceDocument.id))
    return [KnownDocument(*row) for row in rows]


def same_source(known: Iterable[KnownDocument], hashes: Mapping[Uri, Hash]) -> str | None:
    """Return the name of the source that has these documents, or None."""
    sources: dict[str, list[KnownDocument]] = defaultdict(list)
    for document in known:
        if not document.gone:
            sources[document.source].append(document)
    scored = [(_compute_overlap(documents, hashes), name) for name, documents in sources.items()]
    score, name = max(scored, default=(0.0, ""))
    return name if score >= SAME else None


def match_documents(
    known: Iterable[KnownDocument], hashes: Mapping[Uri, Hash], uris: Iterable[Uri]
) -> dict[Uri, KnownDocument]:
    """Match new documents to known ones of the source.

    A document matches by its path, else by its bytes, else by its path inside another folder.
    """
    by_uri = {document.uri: document for document in known}
    found = {uri: by_uri.pop(uri) for uri in uris if uri in by_uri}
    by_hash = {document.data_hash: document for document in by_uri.values() if document.data_hash}
    left = [uri for uri in hashes if uri not in found]
    for uri in left:
        if hashes[uri] in by_hash:
            found[uri] = by_hash.pop(hashes[uri])
            del by_uri[found[uri].uri]
    there = [document for document in by_uri.values() if not document.gone]
    inner = dict(zip(inner_paths(document.uri for document in there), there, strict=True))
    for uri, name in zip(hashes, inner_paths(hashes), strict=True):
        if uri not in found and name in inner:
            found[uri] = inner.pop(name)
    return found


def match_entries(stored: Iterable[KnowledgeEntry], pieces: Sequence[Chunk]) -> Iterator[tuple[str, KnowledgeEntry]]:
    """Match each piece to a stored entry by heading and answer, else by key, else by answer alone.

    Sections under equal headings have numbered keys, which shift when one of them is removed; hence the answer is
    compared first.
    """
    entries, wanted = {entry.id: entry for entry in stored}, {piece.key: piece for piece in pieces}
    for same in (_heading_and_answer, _get_piece_key, _get_piece_answer):
        by: dict[object, deque[KnowledgeEntry]] = defaultdict(deque)
        for entry in entries.values():
            by[same(entry.source_key or "", entry.answer)].append(entry)
        for key, piece in list(wanted.items()):
            alike = by.get(same(key, piece.content.answer.strip()))
            if alike:
                entry = alike.popleft()
                del entries[entry.id], wanted[key]
                yield key, entry


def inner_paths(uris: Iterable[Uri]) -> list[str]:
    """Strip the folders that all paths share, such as those of a zip."""
    paths = [PurePosixPath(uri).parts for uri in uris]
    depth = 0
    while paths and all(len(parts) > depth + 1 and parts[depth] == paths[0][depth] for parts in paths):
        depth += 1
    return ["/".join(parts[depth:]) for parts in paths]


def _compute_overlap(documents: list[KnownDocument], hashes: Mapping[Uri, Hash]) -> float:
    """Return how much of the larger side is in the other, from 0 to 1."""
    there, here = {d.data_hash for d in documents if d.data_hash}, {h for h in hashes.values() if h}
    same = len(there & here) / max(len(there), len(here), 1)
    names, new_names = set(inner_paths(d.uri for d in documents)), set(inner_paths(hashes))
    named = len(names & new_names) / max(len(names), len(new_names), 1)
    named_enough, same_enough = SAME_NAMES
    return max(same, SAME if named >= named_enough and same >= same_enough else 0.0)


def _heading_and_answer(key: str, answer: str) -> tuple[str, str]:
    return NUMBERED.sub("", key), answer


def _get_piece_key(key: str, _answer: str) -> str:
    return key


def _get_piece_answer(_key: str, answer: str) -> str:
    return answer
