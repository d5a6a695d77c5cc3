"""Opens what was given to an import: a file, a folder, a zip or a web address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInput
from knowledge.sources.fetching import Fetcher
from knowledge.sources.files import Found, in_file, in_folder, in_zip
from knowledge.sources.web import on_web


@dataclass(frozen=True)
class Origin:
    """Where documents come from; ``name`` is the same each time it is imported."""

    name: str
    documents: Iterator[Found]


def open_origin(place: str, fetcher: Fetcher) -> Origin:
    """The documents at a path or web address.

    Raises:
        InvalidInput: there is nothing at that place.
    """
    if "://" in place:
        return Origin(place, on_web(place, fetcher))
    path = Path(place).expanduser().resolve()
    if path.is_dir():
        return Origin(str(path), in_folder(path))
    if not path.is_file():
        raise InvalidInput(f"There is no file or folder {place}.")
    return Origin(str(path), in_zip(path) if path.suffix.lower() == ".zip" else in_file(path))
