"""Decodes text, and reads Markdown and plain text."""

from __future__ import annotations

import re

from core.errors import InvalidInput
from knowledge.chunking import FENCE, HEADING, Article, pieces_of, plain
from knowledge.sources.document import Document, Raw, title_of
from knowledge.sources.language import language_of

FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
PAIR = re.compile(r"^(\w+)\s*:\s*(.*?)\s*$", re.MULTILINE)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def decoded(data: bytes) -> str:
    """Text in UTF-8, UTF-16 with its mark, or else Windows Latin.

    Raises:
        InvalidInput: this is no text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise InvalidInput("this is no text file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def read_markdown(raw: Raw, data: bytes) -> Document:
    """Markdown; a block of ``title: ...``, ``url: ...``, ``language: ...``, ``subject: ...`` may stand before it."""
    text = decoded(data)
    front = FRONT_MATTER.match(text)
    known = {key.lower(): value.strip("\"'") for key, value in PAIR.findall(front.group(1))} if front else {}
    body = COMMENT.sub("", text[front.end() :] if front else text)
    title = known.get("title") or first_heading(body) or title_of(raw.uri)
    return article_document(
        Article(title, body, known.get("language") or language_of(body), known.get("subject") or None),
        known.get("url") or raw.url,
    )


def read_text(raw: Raw, data: bytes) -> Document:
    """Plain text, cut into passages."""
    text = decoded(data)
    return article_document(Article(title_of(raw.uri), text, language_of(text)), raw.url)


def article_document(article: Article, url: str | None) -> Document:
    """The document made of an article.

    Raises:
        InvalidInput: it has no text.
    """
    pieces = pieces_of(article)
    if not pieces:
        raise InvalidInput("there is no text in it")
    return Document(article.title[:500], pieces, url)


def first_heading(markdown: str) -> str | None:
    """The first heading outside of code."""
    fenced = False
    for line in markdown.splitlines():
        fenced ^= bool(FENCE.match(line))
        found = None if fenced else HEADING.match(line)
        if found:
            return plain(found.group(2))
    return None
