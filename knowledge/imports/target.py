"""The target of an import: the documents at a location and the source that they belong to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from core.db.models import KnowledgeSource
from core.errors import InvalidInput
from knowledge.imports import catalogue
from knowledge.imports.recognition import KnownDocument, known_documents, match_documents, same_source
from knowledge.imports.sources.document import PassedOver, Raw, compute_data_hash
from knowledge.imports.sources.files import Found
from knowledge.imports.sources.origins import Origin
from knowledge.imports.sources.readers import KINDS

NAMES_SHOWN = 5
Progress = Callable[[int, int, str], None]
"""Called with the number of finished documents, the total and the next document's URI."""


def ignore_progress(_done: int, _total: int, _uri: str) -> None:
    """Report no progress at all."""


@dataclass(frozen=True)
class Listing:
    """The documents at a location: their number, and the hashes of those that can be read twice."""

    total: int
    hashes: Mapping[str, str]
    uris: frozenset[str]
    documents: Iterator[Found]


@dataclass(frozen=True)
class ImportTarget:
    """The source that an import belongs to."""

    name: str
    base_url: str | None = None
    moved_from: str | None = None
    renamed_from: str | None = None
    own: Mapping[str, KnownDocument] = field(default_factory=dict)
    """The known document of each path."""
    settled: Mapping[str, str] = field(default_factory=dict)
    """The path of each unchanged known document by its hash; duplicates of it are not imported."""
    elsewhere: Mapping[str, KnownDocument] = field(default_factory=dict)
    """Documents of other sources by their hashes."""


def scan_origin(origin: Origin, progress: Progress) -> Listing:
    """Scan everything once to count the documents and recognise what was imported before."""
    if origin.again is None:
        found = deque(origin.documents)
        uris = frozenset(one.uri for one in found if not isinstance(one, PassedOver))
        return Listing(len(found), {}, uris, _drain_documents(found))
    hashes: dict[str, str] = {}
    every: set[str] = set()
    total = 0
    for one in origin.documents:
        total += 1
        if total % 100 == 0:
            progress(0, total, one.uri)
        if isinstance(one, PassedOver):
            continue
        every.add(one.uri)
        if isinstance(one, Raw):
            hashes[one.uri] = _compute_document_hash(one)
    return Listing(total, hashes, frozenset(every), origin.again())


def _drain_documents(found: deque[Found]) -> Iterator[Found]:
    """Yield the documents one by one, releasing the fetched data of each."""
    while found:
        yield found.popleft()


def _compute_document_hash(raw: Raw) -> str:
    try:
        return compute_data_hash(raw.load())
    except (InvalidInput, OSError, ValueError):
        return ""  # reported when the document is read


def nothing_in(place: str, found: Iterable[Found]) -> str:
    """Return the error message for a location without documents."""
    others = [one.uri for one in found]
    if not others:
        return f"There are no documents in {place}. Supported are {KINDS}."
    shown = ", ".join(others[:NAMES_SHOWN]) + (", ..." if len(others) > NAMES_SHOWN else "")
    return f"There are no documents in {place} that can be read ({shown}). Supported are {KINDS}."


def target_of(session: Session, tenant_id: str, origin: Origin, wanted: str | None, listing: Listing) -> ImportTarget:
    """Find the source by the given name, else by its location, else by its documents, or create a name for a new one.

    Raises:
        InvalidInput: The location is part of a source and would be imported twice.
    """
    sources, known = catalogue.list_knowledge_sources(session, tenant_id), known_documents(session, tenant_id)
    source = catalogue.find_source_by_name(sources, wanted) if wanted else None
    renamed_from = None
    if source is None:
        source = _find_known_source(sources, known, origin, listing)
        if source is not None and wanted:
            renamed_from = source.name
            catalogue.rename_source(session, source, wanted)
            known = known_documents(session, tenant_id)
    if source is None:
        _refuse_part(sources, known, origin.name)
    name = source.name if source else wanted or catalogue.free_name(sources, origin.name)
    own = match_documents([one for one in known if one.source == name], listing.hashes, listing.uris)
    forgotten = {one.name for one in sources if one.forgotten_at is not None}
    others = [one for one in known if one.source != name and one.source not in forgotten and not one.gone]
    return ImportTarget(
        name,
        base_url=origin.base_url or (source.base_url if source else None),
        moved_from=source.place if source and source.place != origin.name else None,
        renamed_from=renamed_from,
        own=own,
        settled={one.data_hash: uri for uri, one in own.items() if listing.hashes.get(uri, "") == one.data_hash},
        elsewhere={one.data_hash: one for one in others if one.data_hash},
    )


def _find_known_source(
    sources: Sequence[KnowledgeSource], known: Sequence[KnownDocument], origin: Origin, listing: Listing
) -> KnowledgeSource | None:
    by_place = next((source for source in sources if source.place == origin.name), None)
    same = same_source(known, listing.hashes) if by_place is None else None
    return by_place or (catalogue.find_source_by_name(sources, same) if same else None)


def _refuse_part(sources: Sequence[KnowledgeSource], known: Sequence[KnownDocument], place: str) -> None:
    there = {(one.source, one.uri) for one in known if not one.gone}
    for source in sources:
        inside = place.removeprefix(source.place.rstrip("/") + "/")
        if inside != place and (source.name, inside) in there and source.forgotten_at is None:
            raise InvalidInput(f"{inside} is a document of the source {source.name!r}: import {source.place} again.")
