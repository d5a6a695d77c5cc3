"""Reads PDF and Word documents."""

from __future__ import annotations

import io
import logging
import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from core.errors import InvalidInput
from knowledge.chunking import Article
from knowledge.sources.document import LARGEST_DOCUMENT, Document, Raw, title_of
from knowledge.sources.language import language_of
from knowledge.sources.text import article_document
from knowledge.sources.xml import root_of

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
STYLE_LEVEL = re.compile(r"^(?:heading|title)\s?(\d?)$", re.IGNORECASE)


def read_pdf(raw: Raw, data: bytes) -> Document:
    """A PDF with text in it."""
    text = "\n\n".join(_pdf_pages(data))
    if not text.strip():
        raise InvalidInput("there is no text in the PDF; are its pages pictures?")
    return article_document(Article(title_of(raw.uri), _joined(text), language_of(text)), raw.url)


def _pdf_pages(data: bytes) -> list[str]:
    # Takes seconds to import, which only the import of a PDF has to pay.
    from llama_index.readers.file import PDFReader  # noqa: PLC0415

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "document.pdf"
        path.write_bytes(data)
        try:
            return [str(page.text) for page in PDFReader().load_data(path)]
        except Exception as error:  # whatever a reader of broken files comes up with
            raise InvalidInput(f"the PDF cannot be read: {_cause(error)}") from error


def _cause(error: Exception) -> str:
    attempt = getattr(error, "last_attempt", None)
    cause: Any = attempt.exception() if attempt else error
    return "it is protected by a password" if "decrypt" in str(cause).lower() else str(cause) or type(cause).__name__


def _joined(text: str) -> str:
    """Lines that a page's width has cut are put together again."""
    return re.sub(r"(?<![.!?:\n])\n(?=[^\n•*\-\d])", " ", text)


def read_docx(raw: Raw, data: bytes) -> Document:
    """A Word document: its headings, paragraphs, lists and tables."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            part = archive.getinfo("word/document.xml")
            if part.file_size > LARGEST_DOCUMENT:
                raise InvalidInput("the Word document is too large")
            body = root_of(archive.read(part)).find(f"{WORD}body")
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InvalidInput("this is no readable Word document") from error
    blocks = list(_blocks(body)) if body is not None else []
    title = next((block.lstrip("# ") for block in blocks if block.startswith("#")), title_of(raw.uri))
    text = "\n\n".join(blocks)
    return article_document(Article(title, text, language_of(text)), raw.url)


def _blocks(body: Element) -> Iterator[str]:
    for child in body:
        if child.tag == f"{WORD}tbl":
            rows = (" | ".join(_text(cell) for cell in row.iter(f"{WORD}tc")) for row in child.iter(f"{WORD}tr"))
            yield "\n".join(rows)
        elif child.tag == f"{WORD}p" and _text(child):
            yield _prefix(child) + _text(child)


def _prefix(paragraph: Element) -> str:
    style = paragraph.find(f"{WORD}pPr/{WORD}pStyle")
    level = STYLE_LEVEL.match(style.get(f"{WORD}val", "")) if style is not None else None
    if level:
        return "#" * int(level.group(1) or 1) + " "
    return "- " if paragraph.find(f"{WORD}pPr/{WORD}numPr") is not None else ""


def _text(element: Element) -> str:
    parts = (node.text or "" if node.tag == f"{WORD}t" else " " for node in element.iter() if node.tag in TEXTS)
    return "".join(parts).strip()


TEXTS = frozenset((f"{WORD}t", f"{WORD}tab", f"{WORD}br"))
