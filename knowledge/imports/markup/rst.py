"""Read reStructuredText documents into blocks."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from bs4 import BeautifulSoup
from docutils import nodes
from docutils.core import publish_parts
from docutils.parsers.rst import Directive, directives
from docutils.utils import SystemMessage

from core.errors import InvalidInput
from knowledge.imports.markup.flow import Flow
from knowledge.imports.sources.document import Document, Raw, address_of
from knowledge.imports.sources.encodings import decode_text
from knowledge.imports.sources.text import About, document_of

ROLE = re.compile(r":[A-Za-z][\w:+.-]*:`~?!?([^`<]+?)(?:\s*<[^>`]*>)?`")
USED = re.compile(r"^\s*\.\. ([A-Za-z][\w:+.-]*)::", re.MULTILINE)
PLACEHOLDER = re.compile(r"(?<![\w|])\|([A-Za-z][\w .-]*?)\|(?![\w|])_{0,2}")
DEFINED = re.compile(r"^\s*\.\. \|([^|]+)\|", re.MULTILINE)
WITHOUT_TEXT = frozenset(
    (
        "toctree",
        "index",
        "tabularcolumns",
        "highlight",
        "include",
        "literalinclude",
        "contents",
        "sectnum",
        "meta",
        "raw",
        "image",
        "video",
        "youtube",
        "autoclass",
        "automodule",
        "autofunction",
        "graphviz",
        "mermaid",
        "only",
        "figure",
    )
)
KNOWN = frozenset(
    ("note", "tip", "hint", "important", "warning", "caution", "danger", "attention", "error", "admonition", "sidebar")
) | frozenset(
    ("topic", "epigraph", "highlights", "pull-quote", "compound", "container", "code", "code-block", "sourcecode")
)
KNOWN |= frozenset(("table", "csv-table", "list-table", "replace", "unicode", "parsed-literal", "math", "line-block"))
"""Directives that docutils handles itself."""
FOLDED = frozenset(("dropdown", "collapse", "details", "faq", "question"))
SETTINGS: dict[str, Any] = {
    "report_level": 5,
    "halt_level": 5,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "syntax_highlight": "none",
    "embed_stylesheet": False,
    "stylesheet_path": None,
    "math_output": "latex",
    "smart_quotes": False,
    "initial_header_level": 2,
}


class _Any(Directive):  # type: ignore[misc]
    """A directive known only to Sphinx or an extension; its text is kept."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = None

    def run(self) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        words = " ".join(self.arguments)
        if words and self.name not in ("code-tab", "rubric"):
            found.append(
                nodes.paragraph("", "", nodes.strong(words, words))
                if self.name in FOLDED
                else nodes.paragraph("", f"{words}:" if self.content else words)
            )
        while self.content and re.match(r"\s*:[\w-]+:", self.content[0]):
            self.content.trim_start(1)
        box = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, box)
        return [*found, *box.children]


class _Nothing(Directive):  # type: ignore[misc]
    """A directive without text for readers."""

    has_content = True
    optional_arguments = 100

    def run(self) -> list[nodes.Node]:
        return []


def read_rst(raw: Raw, data: bytes) -> Document:
    """Read a reStructuredText document, keeping the text of Sphinx directives."""
    text = ROLE.sub(r"\1", decode_text(data).replace("\r\n", "\n"))
    defined = set(DEFINED.findall(text))
    text = PLACEHOLDER.sub(lambda found: found.group() if found.group(1) in defined else found.group(1), text)
    _register_directives(set(USED.findall(text)))
    try:
        page = publish_parts(text, writer="html5", settings_overrides=SETTINGS)["html_body"]
    except (SystemMessage, ValueError, AttributeError) as error:
        raise InvalidInput(f"this is no readable reStructuredText: {error}") from error
    url = address_of(raw)
    soup = BeautifulSoup(page, "html.parser")
    for tag in soup.select(".system-message, .problematic, .contents, .docinfo, .toctree-wrapper"):
        tag.decompose()
    return document_of(raw, Flow(url or raw.base_url).read(soup), About(url=url))


def _register_directives(used: set[str]) -> None:
    for name in used:
        if name in WITHOUT_TEXT:
            directives.register_directive(name, _Nothing)
        elif name not in KNOWN:
            directives.register_directive(name, _Any)
