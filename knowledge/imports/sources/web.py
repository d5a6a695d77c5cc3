"""Documents on the web: one page, or all pages of a sitemap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

import httpx

from core.errors import InvalidInput
from knowledge.imports.markup.xml import root_of
from knowledge.imports.sources.document import Failure, Raw
from knowledge.imports.sources.fetcher import Fetched, Fetcher
from knowledge.imports.sources.files import Found
from knowledge.imports.sources.readers import READERS

MOST_PAGES = 5000
MOST_SITEMAPS = 50
SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "text/csv": ".csv",
    "application/pdf": ".pdf",
    "application/jsonl": ".jsonl",
    "application/x-ndjson": ".jsonl",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}


def on_web(url: str, fetcher: Fetcher) -> Iterator[Found]:
    """The page, or the pages that the sitemap at this address names.

    Raises:
        InvalidInput: the address itself cannot be used.
    """
    first = fetcher.fetch(url)
    root = _sitemap(first)
    if root is None:
        yield Raw(url, suffix_of(first), lambda: first.data, first.url)
        return
    for page in dict.fromkeys(_pages(root, _site(first.url), fetcher)):
        yield page if isinstance(page, Failure) else _page(page, _site(first.url), fetcher)


def suffix_of(page: Fetched) -> str:
    """What to read it as: by its content type, else by its name."""
    named = PurePosixPath(httpx.URL(page.url).path).suffix.lower()
    if named in READERS and page.content_type in ("", "text/plain", "application/octet-stream"):
        return named
    return SUFFIXES.get(page.content_type, named or ".html")


def _page(url: str, site: str, fetcher: Fetcher) -> Found:
    if _site(url) != site:
        return Failure(url, "it is on another site")
    load = _loader(url, site, fetcher)
    named = PurePosixPath(httpx.URL(url).path).suffix.lower()
    return Raw(url, named if named in READERS else ".html", load, url)


def _loader(url: str, site: str, fetcher: Fetcher) -> Callable[[], bytes]:
    @lru_cache(maxsize=1)
    def load() -> bytes:
        page = fetcher.fetch(url)
        if _site(page.url) != site:
            raise InvalidInput("it redirects to another site")
        return page.data

    return load


def _sitemap(page: Fetched) -> Element | None:
    if not (page.content_type.endswith("xml") or page.url.endswith(".xml")) or "xhtml" in page.content_type:
        return None
    root = root_of(page.data)
    if _name(root) not in ("urlset", "sitemapindex"):
        raise InvalidInput(f"{page.url} is no sitemap")
    return root


def _pages(root: Element, site: str, fetcher: Fetcher) -> Iterator[str | Failure]:
    """The addresses in a sitemap; an index of sitemaps is followed one level down."""
    if _name(root) == "urlset":
        yield from _locations(root)[:MOST_PAGES]
        return
    for url in _locations(root)[:MOST_SITEMAPS]:
        try:
            if _site(url) != site:
                raise InvalidInput("it is on another site")
            inner = _sitemap(fetcher.fetch(url))
        except InvalidInput as error:
            yield Failure(url, str(error), hides=True)
            continue
        yield from _locations(inner)[:MOST_PAGES] if inner is not None else []


def _locations(root: Element) -> list[str]:
    found = (node.text.strip() for node in root.iter() if _name(node) == "loc" and node.text)
    return [url for url in found if url.startswith(("http://", "https://"))]


def _name(node: Element) -> str:
    return node.tag.rpartition("}")[2]


def _site(url: str) -> str:
    parsed = httpx.URL(url)
    return f"{parsed.host.removeprefix('www.')}:{parsed.port or ''}"
