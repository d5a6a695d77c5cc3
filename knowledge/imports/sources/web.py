"""Documents on the web: a single page, or all pages of a sitemap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

import httpx

from core.errors import InvalidInput
from knowledge.imports.markup.xml import parse_xml_root
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


def list_web_documents(url: str, fetcher: Fetcher) -> Iterator[Found]:
    """Yield the page, or the pages that the sitemap at this address lists.

    Raises:
        InvalidInput: The address itself cannot be used.
    """
    first = fetcher.fetch(url)
    root = _parse_sitemap(first)
    if root is None:
        yield Raw(url, suffix_of(first), lambda: first.data, first.url)
        return
    for page in dict.fromkeys(_list_page_urls(root, _get_site_host(first.url), fetcher)):
        yield page if isinstance(page, Failure) else _build_page_document(page, _get_site_host(first.url), fetcher)


def suffix_of(page: Fetched) -> str:
    """Return the file type of a page by its content type, else by its name."""
    named = PurePosixPath(httpx.URL(page.url).path).suffix.lower()
    if named in READERS and page.content_type in ("", "text/plain", "application/octet-stream"):
        return named
    return SUFFIXES.get(page.content_type, named or ".html")


def _build_page_document(url: str, site: str, fetcher: Fetcher) -> Found:
    if _get_site_host(url) != site:
        return Failure(url, "it is on another site")
    load = _make_page_loader(url, site, fetcher)
    named = PurePosixPath(httpx.URL(url).path).suffix.lower()
    return Raw(url, named if named in READERS else ".html", load, url)


def _make_page_loader(url: str, site: str, fetcher: Fetcher) -> Callable[[], bytes]:
    @lru_cache(maxsize=1)
    def load_page() -> bytes:
        page = fetcher.fetch(url)
        if _get_site_host(page.url) != site:
            raise InvalidInput("it redirects to another site")
        return page.data

    return load_page


def _parse_sitemap(page: Fetched) -> Element | None:
    if not (page.content_type.endswith("xml") or page.url.endswith(".xml")) or "xhtml" in page.content_type:
        return None
    root = parse_xml_root(page.data)
    if _get_tag_name(root) not in ("urlset", "sitemapindex"):
        raise InvalidInput(f"{page.url} is no sitemap")
    return root


def _list_page_urls(root: Element, site: str, fetcher: Fetcher) -> Iterator[str | Failure]:
    """Yield the addresses in a sitemap; an index of sitemaps is followed one level down."""
    if _get_tag_name(root) == "urlset":
        yield from _list_locations(root)[:MOST_PAGES]
        return
    for url in _list_locations(root)[:MOST_SITEMAPS]:
        try:
            if _get_site_host(url) != site:
                raise InvalidInput("it is on another site")
            inner = _parse_sitemap(fetcher.fetch(url))
        except InvalidInput as error:
            yield Failure(url, str(error), hides=True)
            continue
        yield from _list_locations(inner)[:MOST_PAGES] if inner is not None else []


def _list_locations(root: Element) -> list[str]:
    found = (node.text.strip() for node in root.iter() if _get_tag_name(node) == "loc" and node.text)
    return [url for url in found if url.startswith(("http://", "https://"))]


def _get_tag_name(node: Element) -> str:
    return node.tag.rpartition("}")[2]


def _get_site_host(url: str) -> str:
    parsed = httpx.URL(url)
    return f"{parsed.host.removeprefix('www.')}:{parsed.port or ''}"
