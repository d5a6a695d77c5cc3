"""Read the main content of web pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from bs4 import BeautifulSoup, Tag

from core.errors import InvalidInput
from knowledge.imports.markup.flow import DROPPED, Flow
from knowledge.imports.markup.markdown import front_matter
from knowledge.imports.sources.blocks import Block, Heading, Text, words_of
from knowledge.imports.sources.document import Document, Raw, address_of
from knowledge.imports.sources.encodings import decode_text
from knowledge.imports.sources.text import About, document_of

CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)|<\?xml[^>]+encoding=[\"']([\w-]+)", re.IGNORECASE)
MAIN = (
    "main",
    "[role=main]",
    "[itemprop=articleBody]",
    "article",
    "#main-content",
    "#content",
    ".main-content",
    ".content",
    "body",
)
AROUND = re.compile(
    r"^(breadcrumbs?\S*|pagination\S*|pager|theme-doc-(?:toc|breadcrumbs|footer|sidebar)\S*|sphinxsidebar|[\w-]*-meta|byline|last-?(?:updated|modified)|"
    r"prev-next|table-of-contents|toc|on-this-page|side-?bar|cookies?|cookie-\w+|share|"
    r"sharing|social|social-\w+|newsletter|skip-?link|skip-to\S*|sr-only|visually-hidden|screen-reader-text|edit-(this-)?page|"
    r"edit-link|comments?|related|related-\w+|menu|nav-?bar|navigation|site-(header|footer|nav)|page-footer|footer|"
    r"was-this-helpful|feedback|article-votes|votes?|rating|print-only|no-print|advert\w*|promo|headerlink|anchor-?link|"
    r"recently-viewed\S*|article-(vote|share|comments|relatives)\S*|search(-\w+)?|language-switcher|back-to-top)$",
    re.IGNORECASE,
)
"""Classes, ids and roles of elements around a page's content."""
LARGE = 0.5
"""The share of the text above which an element is content, whatever its name."""
FEW_WORDS = 15
MOSTLY_LINKS = 0.8
FEWEST_LINKS = 4
SITE = re.compile(r"\s+[|–—·»]\s+|\s+-\s+")  # noqa: RUF001 -- what stands before a site's name


def read_html(raw: Raw, data: bytes) -> Document:
    """Read a web page.

    Raises:
        InvalidInput: The page has no text, for example because scripts fill it.
    """
    declared = CHARSET.search(data[:4096])
    fields, page = front_matter(decode_text(data, _get_declared_charset(declared) if declared else None))
    soup = BeautifulSoup(page, "html.parser")
    scripted = soup.find("script") is not None
    url = address_of(raw, _get_attribute(soup.find("link", rel="canonical"), "href") or None)
    title = str(fields.get("title") or "") or _get_page_title(soup)
    language = _get_attribute(soup.find("html"), "lang")[:2].lower()
    marked = list(_marked_pairs(soup))
    blocks = _from_title(Flow(_get_base_url(soup, url)).read(main_content(soup)))
    blocks = _with_marked(blocks, marked)
    if not blocks:
        raise InvalidInput("there is no text in the page" + (", it is filled by scripts" if scripted else ""))
    return document_of(raw, blocks, About(title, url, language))


def main_content(soup: BeautifulSoup) -> Tag:
    """Return the main content of a page, without navigation, headers and footers."""
    for tag in soup(list(DROPPED - {"nav", "footer"})):
        if tag.name != "head":
            tag.decompose()
    for tag in soup(["nav", "footer", "header"]):
        if not (tag.name in ("header", "footer") and tag.find_parent(("main", "article"))) and not _is_large(tag, soup):
            tag.decompose()
    root = next((found for selector in MAIN if (found := _find_main_element(soup, selector)) is not None), soup)
    for tag in root.find_all(_stands_around):
        if not tag.decomposed and not _is_large(tag, root) and tag.find("h1") is None:
            tag.decompose()
    _name_tabs(root)
    for tag in root.find_all(["ul", "div"]):
        if not tag.decomposed and _is_navigation(tag) and not _is_large(tag, root):
            tag.decompose()
    return root


def _name_tabs(root: Tag) -> None:
    """Label the panels of tabs with the tabs' names."""
    for tabs in root.select("[role=tablist]"):
        panels = tabs.parent.select("[role=tabpanel]") if tabs.parent is not None else []
        for name, panel in zip(tabs.select("[role=tab]"), panels, strict=False):
            panel["data-label"] = " ".join(name.get_text(" ").split())
        tabs.decompose()


def _from_title(blocks: list[Block]) -> list[Block]:
    """Drop a few words that precede the title."""
    titles = [at for at, block in enumerate(blocks) if isinstance(block, Heading) and block.level == 1]
    if len(titles) == 1 and sum(map(words_of, blocks[: titles[0]])) <= FEW_WORDS:
        return blocks[titles[0] :]
    return blocks


def _find_main_element(soup: BeautifulSoup, selector: str) -> Tag | None:
    """Return the matching element, or of several the one with most of the page's text."""
    found = [tag for tag in soup.select(selector) if tag.get_text(strip=True)]
    if not found:
        return None
    largest = max(found, key=lambda tag: len(tag.get_text()))
    return largest if len(found) == 1 or len(largest.get_text()) > LARGE * len((soup.body or soup).get_text()) else None


def _stands_around(tag: Tag) -> bool:
    names = [*_to_string_list(tag.get("class")), *_to_string_list(tag.get("id")), *_to_string_list(tag.get("role"))]
    return tag.name not in ("html", "body") and any(AROUND.match(name) for name in names)


def _is_large(tag: Tag, root: Tag) -> bool:
    return len(tag.get_text()) > LARGE * len(root.get_text())


def _is_navigation(tag: Tag) -> bool:
    """Whether the element is only a list of links to other pages."""
    links = tag.find_all("a")
    if len(links) < FEWEST_LINKS or tag.find(["p", "h1", "h2", "h3", "table", "pre"]) is not None:
        return False
    said = sum(len(link.get_text(strip=True)) for link in links)
    return said > MOSTLY_LINKS * len(tag.get_text(strip=True)) and all(len(a.get_text().split()) <= 4 for a in links)  # noqa: PLR2004


def _get_page_title(soup: BeautifulSoup) -> str:
    headings = [" ".join(tag.get_text(" ").split()).strip("#¶ ") for tag in soup.find_all("h1")]
    tag = soup.find("title")
    name = " ".join(tag.get_text(" ").split()) if isinstance(tag, Tag) else ""
    if len(headings) == 1 and headings[0]:
        return headings[0]
    return next((heading for heading in headings if heading and heading in name), "") or SITE.split(name)[0]


def _get_base_url(soup: BeautifulSoup, url: str | None) -> str | None:
    said = _get_attribute(soup.find("base"), "href")
    return said if said.startswith("http") else url


def _marked_pairs(soup: BeautifulSoup) -> Iterator[tuple[str, str]]:
    """Yield the questions and answers in a page's structured data (JSON-LD)."""
    for script in soup.find_all("script", type="application/ld+json"):
        try:
            yield from _pairs_in(json.loads(script.get_text()))
        except (ValueError, RecursionError):
            continue


def _pairs_in(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for part in node:
            yield from _pairs_in(part)
    elif isinstance(node, dict):
        answer = node.get("acceptedAnswer")
        answer = answer[0] if isinstance(answer, list) and answer else answer
        if node.get("@type") == "Question" and isinstance(answer, dict):
            yield str(node.get("name") or ""), str(answer.get("text") or "")
        else:
            yield from _pairs_in([part for part in node.values() if isinstance(part, list | dict)])


def _with_marked(blocks: list[Block], pairs: list[tuple[str, str]]) -> list[Block]:
    """Append the structured questions and answers that the page does not show."""
    shown = " ".join(block.text for block in blocks if isinstance(block, Heading | Text)).casefold()
    added: list[Block] = []
    for question, answer in pairs:
        said = " ".join(BeautifulSoup(question, "html.parser").get_text(" ").split())
        if said and said.casefold() not in shown:
            added += [Heading(1, said, asks=True), *Flow().read(BeautifulSoup(answer, "html.parser"))]
    return [*blocks, *added]


def _get_attribute(tag: object, name: str) -> str:
    return str(tag.get(name) or "") if isinstance(tag, Tag) else ""


def _to_string_list(value: object) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list) else str(value or "").split()


def _get_declared_charset(found: re.Match[bytes]) -> str:
    return next(group for group in found.groups() if group).decode("ascii")
