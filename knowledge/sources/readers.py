"""Which reader reads which kind of document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from core.errors import InvalidInput
from knowledge.sources.document import LARGEST_DOCUMENT, Document, Raw
from knowledge.sources.html import read_html
from knowledge.sources.office import read_docx, read_pdf
from knowledge.sources.tables import read_csv, read_jsonl
from knowledge.sources.text import read_markdown, read_text

READERS: dict[str, Callable[[Raw, bytes], Document]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".jsonl": read_jsonl,
}
KINDS = "Markdown, HTML, PDF, DOCX, CSV, JSONL and text"


def is_readable(uri: str) -> bool:
    """Whether there is a reader for it."""
    return PurePosixPath(uri).suffix.lower() in READERS


def read(raw: Raw, data: bytes) -> Document:
    """A document's pieces.

    Raises:
        InvalidInput: why it cannot be used, in plain words.
    """
    if len(data) > LARGEST_DOCUMENT:
        raise InvalidInput(f"it is larger than {LARGEST_DOCUMENT // 1_000_000} MB")
    if not data.strip():
        raise InvalidInput("it is empty")
    reader = READERS.get(raw.suffix)
    if reader is None:
        raise InvalidInput(f"{raw.suffix or 'a file without an ending'} is not supported; supported are {KINDS}")
    return reader(raw, data)
