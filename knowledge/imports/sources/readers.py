"""The mapping of file types to readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from core.errors import InvalidInput
from knowledge.imports.markup.asciidoc import read_asciidoc
from knowledge.imports.markup.html import read_html
from knowledge.imports.markup.rst import read_rst
from knowledge.imports.sources.document import LARGEST_DOCUMENT, Document, Raw
from knowledge.imports.sources.office import read_docx, read_pptx
from knowledge.imports.sources.pdf import read_pdf
from knowledge.imports.sources.tables import read_csv, read_json, read_jsonl, read_xlsx
from knowledge.imports.sources.text import read_markdown, read_text

READERS: dict[str, Callable[[Raw, bytes], Document]] = {
    ".md": read_markdown,
    ".mdx": read_markdown,
    ".mkd": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_text,
    ".text": read_text,
    ".rst": read_rst,
    ".adoc": read_asciidoc,
    ".asciidoc": read_asciidoc,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".pptx": read_pptx,
    ".xlsx": read_xlsx,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".json": read_json,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
}
SETTINGS = frozenset(
    ("package.json", "package-lock.json", "_category_.json", "_meta.json", "docs.json", "mint.json", "tsconfig.json")
) | frozenset(("sidebars.json", "vercel.json", "manifest.json", "robots.txt", "requirements.txt", "llms.txt"))
"""Readable files that lie beside documents but are none."""
OLD_OFFICE = {".doc": "DOCX", ".xls": "XLSX", ".ppt": "PPTX", ".odt": "DOCX", ".rtf": "DOCX", ".ods": "XLSX"}
KINDS = "Markdown, MDX, HTML, PDF, DOCX, PPTX, XLSX, CSV, JSON, JSONL, reStructuredText, AsciiDoc and text"


def is_readable(uri: str) -> bool:
    """Whether there is a reader for its file type."""
    return PurePosixPath(uri).suffix.lower() in READERS


def why_passed_over(uri: str) -> str:
    """Return the reason why a file is not a document, or "" if it is one."""
    path = PurePosixPath(uri)
    if path.name.lower() in SETTINGS:
        return "it holds settings of a site"
    if is_readable(uri):
        return ""
    if path.suffix.lower() in OLD_OFFICE:
        return f"{path.suffix.lower()} is an old format; save it as {OLD_OFFICE[path.suffix.lower()]}"
    return f"{path.suffix.lower()} is no kind of document that can be read" if path.suffix else "it has no ending"


def read_raw_document(raw: Raw, data: bytes) -> Document:
    """Read a document with the reader of its file type.

    Raises:
        InvalidInput: The document cannot be used; the message says why in plain words.
    """
    if len(data) > LARGEST_DOCUMENT:
        raise InvalidInput(f"it is larger than {LARGEST_DOCUMENT // 1_000_000} MB")
    if not data.strip():
        raise InvalidInput("it is empty")
    reader = READERS.get(raw.suffix)
    if reader is None:
        raise InvalidInput(f"{raw.suffix or 'a file without an ending'} is not supported; supported are {KINDS}")
    return reader(raw, data)
