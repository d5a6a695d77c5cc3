"""Reads web pages: the main content only, turned into Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag
from bs4.element import Comment, NavigableString

from core.errors import InvalidInput
from knowledge.chunking import Article, plain
from knowledge.sources.document import Document, Raw, title_of
from knowledge.sources.language import language_of
from knowledge.sources.text import article_document

DROPPED = ["script", "style", "noscript", "template", "iframe", "svg", "canvas", "nav", "header", "footer", "aside"]
DROPPED += ["form", "button", "select", "input", "dialog"]
MAIN = ("main", "[role=main]", "article", "#content", ".content", "body")
HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCKS = frozenset(
    ["p", "div", "section", "article", "main", "ul", "ol", "table", "thead", "tbody", "blockquote", "pre", "dl", "dd"]
) | frozenset(["figure", "figcaption", "details", "hr", "address", "body"])


def read_html(raw: Raw, data: bytes) -> Document:
    """A web page.

    Raises:
        InvalidInput: it has no text, as a page that is filled by scripts.
    """
    soup = BeautifulSoup(data, "html.parser")
    scripted = bool(soup.find("script"))
    declared = _attribute(soup.find("html"), "lang")[:2].lower()
    title, url = _title(soup) or title_of(raw.uri), raw.url or _canonical(soup)
    for tag in soup(DROPPED):
        if not (tag.name == "header" and tag.find_parent(("main", "article"))):
            tag.decompose()
    root = next(
        (found for selector in MAIN if (found := soup.select_one(selector)) and found.get_text(strip=True)), soup
    )
    markdown = re.sub(r"[ \t]*\n[ \t]*", "\n", "".join(_markdown(root)))
    markdown = re.sub(r"\n{3,}", "\n\n", markdown).strip()
    if not plain(markdown):
        raise InvalidInput("there is no text in the page" + (", it is filled by scripts" if scripted else ""))
    return article_document(Article(title, markdown, declared or language_of(plain(markdown))), url)


def _title(soup: BeautifulSoup) -> str:
    heading = soup.find("h1") or soup.find("title")
    return " ".join(heading.get_text(" ").split()) if heading else ""


def _canonical(soup: BeautifulSoup) -> str | None:
    return _attribute(soup.find("link", rel="canonical"), "href") or None


def _attribute(tag: object, name: str) -> str:
    return str(tag.get(name) or "") if isinstance(tag, Tag) else ""


def _markdown(node: Tag) -> Iterator[str]:
    for child in node.children:
        if isinstance(child, Tag):
            yield from _element(child)
        elif isinstance(child, NavigableString) and not isinstance(child, Comment):
            yield re.sub(r"\s+", " ", str(child))


def _element(tag: Tag) -> Iterator[str]:
    name = tag.name
    if name in HEADINGS or name in ("summary", "dt"):
        yield f"\n\n{'#' * HEADINGS.get(name, 3)} {_line(tag)}\n\n"
    elif name == "li":
        number = len(tag.find_previous_siblings("li")) + 1
        yield f"\n{f'{number}.' if tag.parent and tag.parent.name == 'ol' else '-'} {_line(tag)}"
    elif name == "tr":
        yield "\n" + " | ".join(_line(cell) for cell in tag.find_all(("td", "th")))
    elif name == "br":
        yield "\n"
    elif name == "a" and _attribute(tag, "href").startswith(("https://", "http://")):
        yield f"[{_line(tag)}]({_attribute(tag, 'href')})"
    elif name in ("strong", "b") and _line(tag):
        yield f"**{_line(tag)}**"
    elif name in BLOCKS:
        yield from ("\n\n", *_markdown(tag), "\n\n")
    else:
        yield from _markdown(tag)


def _line(tag: Tag) -> str:
    return " ".join("".join(_markdown(tag)).split())
