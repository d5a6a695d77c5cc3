"""Build documents from blocks; readers of Markdown and plain text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput
from core.language import language_of
from knowledge.imports.chunker import Article, join_blocks, pieces_of
from knowledge.imports.markup.lines import blocks_of_lines
from knowledge.imports.markup.markdown import front_matter, markdown_blocks
from knowledge.imports.sources.blocks import Block, Heading, Items, Text
from knowledge.imports.sources.document import Document, Raw, address_of, title_of
from knowledge.imports.sources.encodings import decode_text
from knowledge.imports.sources.questions import with_questions

CONTENTS = re.compile(
    r"(?:table of )?contents:?$|on this page:?$|inhalt(?:sverzeichnis)?:?$|sommaire:?$|índice:?$", re.IGNORECASE
)


@dataclass(frozen=True)
class About:
    """Metadata of a document beside its text."""

    title: str = ""
    url: str | None = None
    language: str = ""
    subject: str | None = None
    loose: bool = False
    """Whether the format has no headings, so that a line that asks becomes one."""


def read_markdown(raw: Raw, data: bytes) -> Document:
    """Read Markdown, with optional front matter: ``title``, ``question``, ``url``, ``slug``, ``language``, ``subject``."""
    fields, body = front_matter(decode_text(data).replace("\r\n", "\n").replace("\r", "\n"))
    told = {key: str(value).strip() for key, value in fields.items() if isinstance(value, str | int | float)}
    url = address_of(raw, told.get("url") or told.get("permalink") or told.get("slug"))
    blocks = markdown_blocks(body, url or raw.base_url, mdx=raw.suffix == ".mdx")
    blocks = [*_prepend_question(told, blocks), *_build_faq_blocks(fields)]
    if not blocks and told.get("description"):
        blocks = [Text(told["description"])]
    language = (told.get("language") or told.get("lang") or told.get("locale") or "")[:2].lower()
    about = About(told.get("title", ""), url, language, told.get("subject") or None)
    return document_of(raw, blocks, about)


def read_text(raw: Raw, data: bytes) -> Document:
    lines = decode_text(data).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return document_of(raw, blocks_of_lines(lines), About(url=address_of(raw), loose=True))


def document_of(raw: Raw, blocks: list[Block], about: About) -> Document:
    """Build a document from blocks.

    Raises:
        InvalidInput: The blocks have no text.
    """
    title = about.title or _first_title(blocks) or title_of(raw.uri)
    blocks = with_questions(_without_contents(blocks), f"{title} {raw.uri}", loose=about.loose)
    language = about.language or language_of(join_blocks(blocks))
    pieces = pieces_of(Article(title, blocks, language, about.subject))
    if not pieces:
        raise InvalidInput("there is no text in it")
    return Document(title[:500], pieces, about.url)


def _without_contents(blocks: list[Block]) -> list[Block]:
    """Remove a table of contents: a line with such a name and the list under it."""
    kept: list[Block] = []
    for block in blocks:
        named = kept[-1] if kept else None
        if isinstance(block, Items) and isinstance(named, Text | Heading) and CONTENTS.match(named.text):
            kept.pop()
        else:
            kept.append(block)
    return kept


def _prepend_question(told: dict[str, str], blocks: list[Block]) -> list[Block]:
    """Put the question of the front matter before the document, which is its answer."""
    question, answer = told.get("question", ""), told.get("answer", "")
    if not question:
        return blocks
    body = [*markdown_blocks(answer), *blocks]
    return [Heading(0, question, asks=True), *(b for b in body if not (isinstance(b, Heading) and b.text == question))]


def _build_faq_blocks(fields: dict[str, Any]) -> list[Block]:
    """Return the questions and answers listed in the front matter."""
    blocks: list[Block] = []
    for rows in fields.values():
        for row in rows if isinstance(rows, list) else ():
            pair = {str(key).lower(): str(value) for key, value in row.items()} if isinstance(row, dict) else {}
            if pair.get("question") and pair.get("answer"):
                blocks += [Heading(1, pair["question"], asks=True), *markdown_blocks(pair["answer"])]
    return blocks


def _first_title(blocks: list[Block]) -> str:
    """Return the single top heading of a document, or ""."""
    headings = [block for block in blocks if isinstance(block, Heading)]
    if not headings or headings[0].asks or headings[0].level > 6:  # noqa: PLR2004 -- h6 is the last that is a heading
        return ""
    alone = all(heading.level > headings[0].level for heading in headings[1:])
    return headings[0].text if alone else ""
