"""Open the location of an import: a file, a folder, a zip or a web address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import InvalidInput
from knowledge.imports.sources.document import Raw
from knowledge.imports.sources.fetcher import Fetcher
from knowledge.imports.sources.files import Found, in_folder, list_file_documents, list_zip_documents
from knowledge.imports.sources.web import list_web_documents


@dataclass(frozen=True)
class Origin:
    """Where documents come from; ``name`` is the same for each import."""

    name: str
    documents: Iterator[Found]
    again: Callable[[], Iterator[Found]] | None = None
    """Lists the documents again, or None if that would fetch them twice."""
    base_url: str | None = None


def open_origin(place: str, fetcher: Fetcher, base_url: str | None = None) -> Origin:
    """List the documents at a path or web address; ``base_url`` is their public address, for relative links.

    Raises:
        InvalidInput: There is nothing at that location.
    """
    if not place.strip():
        raise InvalidInput("Say which file, folder or web address: the path is empty.")
    if "://" in place:
        return Origin(place, _set_base_url(list_web_documents(place, fetcher), base_url), base_url=base_url)
    path = Path(place).expanduser().resolve()
    if not path.is_dir() and not path.is_file():
        raise InvalidInput(f"There is no file or folder {place}.")

    def list_documents() -> Iterator[Found]:
        return _set_base_url(_list_path_documents(path), base_url)

    return Origin(str(path), list_documents(), list_documents, base_url)


def _list_path_documents(path: Path) -> Iterator[Found]:
    if path.is_dir():
        return in_folder(path)
    return list_zip_documents(path) if path.suffix.lower() == ".zip" else list_file_documents(path)


def _set_base_url(documents: Iterator[Found], base_url: str | None) -> Iterator[Found]:
    for found in documents:
        yield replace(found, base_url=base_url) if base_url and isinstance(found, Raw) else found
