"""The data types of the sources: documents as found, and what could not be used."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urljoin

from knowledge.imports.chunker import Chunk

LARGEST_DOCUMENT = 25_000_000
NAMELESS = frozenset(("index", "readme", "_index", "page", "default", "document", "main", "content"))


@dataclass(frozen=True)
class Raw:
    """A document's bytes; ``suffix`` determines the reader."""

    uri: str
    suffix: str
    load: Callable[[], bytes]
    """Loads the data; raises InvalidInput with a reason in plain words."""
    url: str | None = None
    base_url: str | None = None
    """The public address of the documents of its source, to which relative links are resolved."""


@dataclass(frozen=True)
class Failure:
    """A document, or a row of it, that could not be used, and the reason."""

    uri: str
    reason: str
    hides: bool = False
    """Whether it would have named other documents, so that it is unknown if those still exist."""


@dataclass(frozen=True)
class PassedOver:
    """A file that is not read because it is no document of a known kind, and the reason."""

    uri: str
    reason: str


@dataclass(frozen=True)
class Document:
    """A document that has been read."""

    title: str
    pieces: list[Chunk]
    url: str | None = None
    failed: tuple[Failure, ...] = ()
    """Rows that could not be used; the ``uri`` of each is its place in the document ("row 7")."""


def compute_data_hash(data: bytes) -> str:
    """Return the hash that tells whether a document has changed."""
    return hashlib.sha256(data).hexdigest()


def title_of(uri: str) -> str:
    """Return a readable title from the name of a file, or of its folder if the file's name is generic."""
    path = PurePosixPath(uri.rstrip("/"))
    stem = path.parent.name if path.stem.lower() in NAMELESS and path.parent.name else path.stem
    stem = re.sub(r"^\d{1,3}[._-]+(?=\D)", "", stem) or uri
    return (stem[:1].upper() + stem[1:]).replace("-", " ").replace("_", " ")


def address_of(raw: Raw, said: str | None = None) -> str | None:
    """Return the public address of a document; ``said`` is the address or slug that the document gives itself."""
    if said and re.match(r"https?://", said):
        return said
    if raw.base_url and "://" not in raw.uri:
        base = raw.base_url.rstrip("/") + "/"
        return urljoin(base, said.strip("/") if said else _page_name(raw.uri))
    return raw.url


def _page_name(uri: str) -> str:
    path = PurePosixPath(uri.replace("\\", "/"))
    if path.suffix.lower() not in (".md", ".mdx", ".markdown", ".rst", ".adoc"):
        return str(path)
    if path.stem.lower() in ("index", "readme", "_index"):
        return "" if str(path.parent) == "." else f"{path.parent}/"
    return str(path.with_suffix(""))
