"""Readers of Word documents and presentations."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from bs4 import BeautifulSoup

from core.errors import InvalidInput
from knowledge.imports.markup.flow import Flow
from knowledge.imports.markup.lines import BULLET, joined_lists
from knowledge.imports.markup.xml import parse_xml_root
from knowledge.imports.sources.blocks import Block, Heading, Items, Table, Text
from knowledge.imports.sources.document import LARGEST_DOCUMENT, Document, Raw, address_of
from knowledge.imports.sources.text import About, document_of

STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Heading 1'] => h2:fresh
p[style-name='Heading 2'] => h3:fresh
p[style-name='Heading 3'] => h4:fresh
p[style-name='Heading 4'] => h5:fresh
p[style-name='Heading 5'] => h6:fresh
p[style-name='heading 1'] => h2:fresh
p[style-name='heading 2'] => h3:fresh
p[style-name='heading 3'] => h4:fresh
p[style-name='heading 4'] => h5:fresh
p[style-name='Subtitle'] => p:fresh
"""
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
SLIDES = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
SLIDE = re.compile(r"^ppt/slides/slide(\d+)\.xml$")
TITLES = frozenset(("title", "ctrTitle"))
FURNITURE = frozenset(("dt", "ftr", "sldNum", "hdr"))


def read_docx(raw: Raw, data: bytes) -> Document:
    """Read a Word document: its headings, paragraphs, lists and tables."""
    with _open_archive(data, "Word document", "word/document.xml") as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                parse_xml_root(archive.read(name))
    # Imported here because it is slow and only needed for Word documents.
    import mammoth  # noqa: PLC0415

    try:
        page = mammoth.convert_to_html(
            io.BytesIO(data), style_map=STYLES, convert_image=mammoth.images.img_element(lambda _image: {})
        ).value
    except Exception as error:  # a reader may fail on a broken file in any way
        raise InvalidInput("this is no readable Word document") from error
    blocks = joined_lists(list(_convert_typed_bullets(Flow(address_of(raw)).read(BeautifulSoup(page, "html.parser")))))
    return document_of(raw, blocks, About(url=address_of(raw), loose=True))


def read_pptx(raw: Raw, data: bytes) -> Document:
    """Read a presentation; each slide is a section under its title."""
    blocks: list[Block] = []
    with _open_archive(data, "presentation", "ppt/presentation.xml") as archive:
        slides = sorted((int(found.group(1)), name) for name in archive.namelist() if (found := SLIDE.match(name)))
        for number, name in slides:
            blocks += _read_slide(parse_xml_root(archive.read(name)), number)
    return document_of(raw, blocks, About(url=address_of(raw)))


def _open_archive(data: bytes, kind: str, part: str) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        archive.getinfo(part)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InvalidInput(f"this is no readable {kind}") from error
    if sum(member.file_size for member in archive.infolist()) > 4 * LARGEST_DOCUMENT:
        raise InvalidInput(f"the {kind} is too large")
    return archive


def _convert_typed_bullets(blocks: list[Block]) -> Iterator[Block]:
    """Turn typed bullets into list items."""
    for block in blocks:
        bullet = BULLET.match(block.text) if isinstance(block, Text) else None
        if isinstance(block, Text) and bullet:
            yield Items(((Text(block.text[bullet.end() :]),),))
        else:
            yield block


def _read_slide(root: Element, number: int) -> list[Block]:
    title, blocks = "", []
    for shape in root.iter():
        if shape.tag == f"{SLIDES}sp":
            kind = _get_placeholder_kind(shape)
            paragraphs = [text for paragraph in shape.iter(f"{DRAWING}p") if (text := _get_element_text(paragraph))]
            if kind in TITLES:
                title = " ".join(paragraphs)
            elif kind not in FURNITURE:
                blocks += _build_shape_blocks(paragraphs, listed=kind != "")
        elif shape.tag == f"{DRAWING}tbl":
            rows = [
                tuple(_get_element_text(cell) for cell in row.iter(f"{DRAWING}tc"))
                for row in shape.iter(f"{DRAWING}tr")
            ]
            blocks += [Table(rows[0], tuple(rows[1:]))] if len(rows) > 1 else []
    return [Heading(2, title or f"Slide {number}"), *blocks] if title or blocks else []


def _get_placeholder_kind(shape: Element) -> str:
    """Return the kind of a text box: "" for a drawn one, "body" for a slide's own."""
    found = next(shape.iter(f"{SLIDES}ph"), None)
    return "" if found is None else found.get("type", "body")


def _build_shape_blocks(paragraphs: list[str], *, listed: bool) -> list[Block]:
    if listed and len(paragraphs) > 1:
        lead = [Text(paragraphs[0])] if paragraphs[0].endswith(":") else []
        return [*lead, Items(tuple((Text(text),) for text in paragraphs[len(lead) :]))]
    return [Text(text) for text in paragraphs]


def _get_element_text(element: Element) -> str:
    parts = (
        (node.text or "") if node.tag == f"{DRAWING}t" else " "
        for node in element.iter()
        if node.tag in (f"{DRAWING}t", f"{DRAWING}br")
    )
    return " ".join("".join(parts).split())
