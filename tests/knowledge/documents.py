"""Reads documents in tests, from a name and a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.imports.sources.document import Document, Raw
from knowledge.imports.sources.readers import read_raw_document

CASES = Path(__file__).parents[3] / "shared" / "cases" / "import"
"""Inputs that failed once; they lie beside the repository, and not everywhere."""


def read_bytes(name: str, data: bytes | str, base_url: str | None = None) -> Document:
    data = data.encode() if isinstance(data, str) else data
    return read_raw_document(Raw(name, Path(name).suffix, lambda: data, base_url=base_url), data)


def told(document: Document) -> list[tuple[str, tuple[str, ...], str]]:
    return [(p.content.kind, p.content.questions, p.content.answer) for p in document.pieces]


def pairs(document: Document) -> dict[str, str]:
    """Of every faq its question and answer."""
    return {p.content.questions[0]: p.content.answer for p in document.pieces if p.content.kind == "faq"}


def passages(document: Document) -> dict[str, str]:
    """Of every passage its title and text; a longer section's parts together."""
    found: dict[str, str] = {}
    for piece in document.pieces:
        if piece.content.kind == "passage":
            title = piece.content.title or ""
            found[title] = "\n\n".join(filter(None, (found.get(title), piece.content.answer)))
    return found


def case(name: str) -> Document:
    path = CASES / name
    if not path.exists():
        pytest.skip(f"there is no {path}")
    return read_bytes(path.name, path.read_bytes())
