"""Convert an HTML tree into blocks of plain text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urljoin, urlsplit

from bs4 import Tag
from bs4.element import Comment, Declaration, Doctype, NavigableString, ProcessingInstruction

from knowledge.imports.chunker import is_question
from knowledge.imports.markup.templates import without_templates
from knowledge.imports.sources.blocks import Block, Code, End, Heading, Items, Table, Text, render_block

DROPPED = frozenset(
    ["script", "style", "noscript", "template", "iframe", "svg", "canvas", "nav", "footer", "input", "select", "dialog"]
) | frozenset(["textarea", "video", "audio", "object", "embed", "map", "del", "s", "strike", "head", "title", "option"])
BLOCKS = frozenset(
    ["p", "div", "section", "article", "main", "header", "ul", "ol", "table", "blockquote", "pre", "dl", "figure"]
) | frozenset(
    ["figcaption", "details", "summary", "hr", "address", "body", "form", "fieldset", "center", "aside", "li", "hgroup"]
)
BLOCKS |= frozenset(["h1", "h2", "h3", "h4", "h5", "h6", "html", "tr", "td", "th", "tbody", "thead", "dt", "dd"])
BLOCKS |= frozenset(["caption", "menu"])
VERBATIM = frozenset(["code", "kbd", "samp", "tt", "var"])
BOLD, BOLD_END, LINK, LINK_END = "\x01", "\x02", "\x03", "\x04"
MARKS = re.compile("[\x01-\x04]")
ADMONITION = re.compile(
    r"admonition|callout|alert|note\b|warning|hint|tip\b|important|caution|danger|message", re.IGNORECASE
)
ADMONITION_TITLE = re.compile(r"(admonition|callout|alert|message|hint)-?(title|heading|label|header)", re.IGNORECASE)
QUESTION_CLASS = re.compile(r"question|accordion|faq|collaps|toggle|expand|disclosure", re.IGNORECASE)
FOOTNOTE = re.compile(r"^\[?\d{1,3}\]?$")
ANCHOR_SIGNS = frozenset(("", "#", "¶", "§", "🔗", "Permalink"))
SIGNS = str.maketrans({**dict.fromkeys("✔✅☑🗸", "✓"), **dict.fromkeys("✘❌✕✖☒❎", "✗"), "\ufe0f": None, "\ufe0e": None})
"""Maps the variants of ticks and crosses to one character each."""
SHORTCODES = {
    **dict.fromkeys((":white_check_mark:", ":heavy_check_mark:", ":ballot_box_with_check:", ":check:"), "✓"),
    **dict.fromkeys((":x:", ":negative_squared_cross_mark:", ":heavy_multiplication_x:", ":no_entry_sign:"), "✗"),
}
LONGEST_SIGN = 5
PICTURE_NAMES = re.compile(r"\.\w{3,4}$|^(image|img|screenshot|picture|icon|logo|alt text|untitled)\b", re.IGNORECASE)
LONGEST_PICTURE_NAME = 4
CONTENTS = re.compile(r"\bcontents?\b|\bon this page\b|\binhalt|\bsommaire\b|\bíndice\b|\btoc\b", re.IGNORECASE)
RATING = re.compile(
    r"(?:was|is|did|have) (?:this|the) (?:article|page|answer|information|content|guide)s?\b.{0,30}"
    r"\b(?:help|helpful|useful|solve|answer)\b.{0,60}$",
    re.IGNORECASE | re.DOTALL,
)
"""Matches a page's question about its own usefulness."""
LONGEST_LINK = 200
DEEPER = 10
"""The offset that puts folded headings below every heading around them."""
HEADER_WORDS = 6


@dataclass
class Flow:
    """Reads one element; relative links are resolved to ``base``."""

    base: str | None = None
    depth: int = 0
    blocks: list[Block] = field(default_factory=list)
    _inline: list[str] = field(default_factory=list)
    _label: str = ""

    DIRECT: ClassVar[dict[str, Callable[[Flow, Tag], None]]] = {}

    def read(self, root: Tag) -> list[Block]:
        """Return the blocks of an element's content."""
        self._read_children(root)
        self._flush_inline()
        return self.blocks

    def line(self, tag: Tag, *, links: bool = True) -> str:
        """Return the text of an element as one line."""
        text = " ".join(self._get_inline_text(tag, links=links).split())
        return MARKS.sub("", text).strip()

    def _read_children(self, node: Tag) -> None:
        for child in node.children:
            if isinstance(child, Tag):
                self._read_element(child)
            elif _is_text_node(child):
                self._inline.append(_collapse_whitespace(child))

    def _read_element(self, tag: Tag) -> None:
        if tag.name in DROPPED:
            return
        opener = _is_answer_opener(tag)
        if opener or tag.name in BLOCKS or (tag.name not in VERBATIM and tag.find(list(BLOCKS)) is not None):
            self._flush_inline()
            direct = Flow._read_opener if opener else Flow.DIRECT.get(tag.name, Flow._read_container)
            direct(self, tag)
            self._flush_inline()
        else:
            self._inline.append(self._element_text(tag, links=True))

    def _flush_inline(self) -> None:
        text = "".join(self._inline)
        self._inline.clear()
        for part in re.split(r"\n[ \t]*\n\s*", text):
            found = _parse_paragraph(part)
            if found is not None:
                self._add_block(found)

    def _add_block(self, block: Block) -> None:
        if self._label:
            label, self._label = self._label, ""
            if isinstance(block, Text) and not block.text.lower().startswith(label.lower()):
                block = Text(f"{label}: {block.text}")
            elif not isinstance(block, Text):
                self.blocks.append(Text(f"{label}:"))
        self.blocks.append(block)

    def _read_inner_blocks(self, tag: Tag, *, deeper: int = 0) -> list[Block]:
        return Flow(self.base, self.depth + deeper).read(tag)

    def _read_container(self, tag: Tag) -> None:
        label = str(tag.get("data-label") or "")
        if ADMONITION_TITLE.search(_get_class_names(tag)):
            self._label = _capitalize_first(self.line(tag).rstrip(":"))
        elif tag.name == "aside" and not (label or ADMONITION.search(_get_class_names(tag))):
            return
        elif label:
            self._label = self._build_label(label, str(tag.get("data-href") or ""))
            before = len(self.blocks)
            self._read_children(tag)
            self._flush_inline()
            if self._label and len(self.blocks) == before:
                self.blocks.append(Text(self._label))
            self._label = ""
        else:
            self._read_children(tag)

    def _build_label(self, label: str, href: str) -> str:
        url = self._resolve_link(href)
        return f"{label} ({url})" if url else label.rstrip(":")

    def _read_heading(self, tag: Tag) -> None:
        text = self.line(tag, links=False).strip("#¶§ ")
        if text:
            self.blocks.append(Heading(self.depth + int(tag.name[1]), text))

    def _read_opener(self, tag: Tag) -> None:
        """Add a clickable question that opens an answer as a heading."""
        self.blocks.append(Heading(self.depth + DEEPER - 1, self.line(tag, links=False), asks=True))

    def _read_details(self, tag: Tag) -> None:
        summary = tag.find("summary")
        if not isinstance(summary, Tag):
            self._read_children(tag)
            return
        title = self.line(summary, links=False)
        summary.decompose()
        level = self.depth + DEEPER - 1
        if title:
            asks = tag.has_attr("data-asks")
            self.blocks.append(Heading(level, title, asks=asks))
        self.blocks += [*self._read_inner_blocks(tag, deeper=DEEPER), End(level)]

    def _read_list(self, tag: Tag) -> None:
        items = [child for child in tag.find_all(True, recursive=False) if child.name in ("li", "div", "ul", "ol", "p")]
        if _is_contents(tag, items) and self._may_be_contents():
            return
        read = [(item, tuple(self._read_inner_blocks(item))) for item in items]
        kept = [blocks for _, blocks in read if blocks]
        if kept:
            self._add_block(Items(tuple(kept), _get_list_start(tag) if tag.name == "ol" else None))

    def _may_be_contents(self) -> bool:
        """Whether a list is at the position of a table of contents: before the first section, or under such a heading."""
        headings = [block for block in self.blocks if isinstance(block, Heading)]
        return all(heading.level <= 1 for heading in headings) or bool(CONTENTS.search(headings[-1].text))

    def _read_item(self, tag: Tag) -> None:
        blocks = tuple(self._read_inner_blocks(tag))
        if blocks:
            self._add_block(Items((blocks,)))

    def _read_definitions(self, tag: Tag) -> None:
        pairs = list(self._collect_definitions(tag))
        if any(is_question(term) for term, _ in pairs):
            level = self.depth + DEEPER - 1
            for term, blocks in pairs:
                self.blocks += [Heading(level, term, asks=True), *blocks]
            self.blocks.append(End(level))
        elif pairs:
            self._add_block(
                Items(tuple((Text(f"{term}:"), *blocks) if term else tuple(blocks) for term, blocks in pairs))
            )

    def _collect_definitions(self, tag: Tag) -> Iterator[tuple[str, list[Block]]]:
        terms: list[str] = []
        blocks: list[Block] = []
        for child in tag.find_all(("dt", "dd")):
            if child.find_parent("dl") is not tag:
                continue
            if child.name == "dt":
                if blocks:
                    yield ", ".join(terms), blocks
                    terms, blocks = [], []
                terms.append(self.line(child, links=False).rstrip(":"))
            else:
                blocks = [*blocks, *self._read_inner_blocks(child, deeper=DEEPER)]
        if terms or blocks:
            yield ", ".join(terms), blocks

    def _read_code(self, tag: Tag) -> None:
        text = tag.get_text().strip("\n")
        if text.strip():
            self._add_block(Code(text))

    def _read_table(self, tag: Tag) -> None:
        if tag.find(["table", "h1", "h2", "h3", "h4", "h5", "h6"]) is not None:
            self._read_children(tag)
            return
        caption = tag.find("caption")
        if isinstance(caption, Tag) and self.line(caption):
            self._add_block(Text(self.line(caption).rstrip(":.") + ":"))
        rows = [row for row in tag.find_all("tr") if row.find_parent("table") is tag]
        grid = self._build_grid(rows)
        headed = _count_header_rows(rows) or int(_looks_like_head(grid))
        header = _merge_header_rows(grid[:headed])
        body = [tuple(row) for row in grid[headed:] if any(row)]
        if headed and len(grid) == headed:
            header, body = _merge_header_rows(grid[:-1]), [tuple(grid[-1])]
        if body:
            self._add_block(Table(header, tuple(body)))

    def _build_grid(self, rows: list[Tag]) -> list[list[str]]:
        """Return the cells of a table, repeated where one spans several rows or columns."""
        grid: list[list[str]] = []
        waiting: dict[int, tuple[int, str]] = {}
        for row in rows:
            line: list[str] = []
            for cell in row.find_all(("td", "th"), recursive=False):
                _fill_spanned_cells(line, waiting)
                text = self._get_cell_text(cell)
                for column in range(_get_cell_span(cell, "colspan")):
                    if _get_cell_span(cell, "rowspan") > 1:
                        waiting[len(line)] = (_get_cell_span(cell, "rowspan") - 1, text)
                    line.append(text if column == 0 or cell.name == "th" else "")
            _fill_spanned_cells(line, waiting)
            grid.append(line)
        return grid

    def _get_cell_text(self, cell: Tag) -> str:
        blocks = self._read_inner_blocks(cell)
        if not blocks:
            return _get_cell_sign(cell)
        if not any(isinstance(block, Items) for block in blocks):
            text = " ".join(" ".join(map(render_block, blocks)).split())
            return SHORTCODES.get(text, text)
        lines = [
            re.sub(r"^\s*(- |\d+\. )", "", line).rstrip(";") for b in blocks for line in render_block(b).splitlines()
        ]
        return re.sub(r":; ", ": ", "; ".join(filter(None, lines)))

    def _get_inline_text(self, node: Tag, *, links: bool) -> str:
        parts = []
        for child in node.children:
            if isinstance(child, Tag):
                parts.append(self._element_text(child, links=links))
            elif _is_text_node(child):
                parts.append(_collapse_whitespace(child))
        return "".join(parts)

    def _element_text(self, tag: Tag, *, links: bool) -> str:  # noqa: PLR0911 -- one a kind of element
        name = tag.name
        if name in DROPPED:
            return ""
        if name == "br":
            return "\n"
        if name in VERBATIM:
            return re.sub(r"\s+", " ", tag.get_text())
        if name == "img":
            return _get_picture_name(tag)
        if name == "sup" and FOOTNOTE.match(tag.get_text(strip=True)) and tag.find("a") is not None:
            return ""
        text = self._get_inline_text(tag, links=links)
        if name in ("strong", "b"):
            return _wrap_in_marks(text, BOLD, BOLD_END)
        if name == "a":
            return self._render_link(tag, text, links=links)
        return f" {text} " if name in BLOCKS else text

    def _render_link(self, tag: Tag, text: str, *, links: bool) -> str:
        said = MARKS.sub("", text).strip()
        if said in ANCHOR_SIGNS:
            return ""
        href = str(tag.get("href") or "").strip()
        address = href.removeprefix("mailto:").removeprefix("tel:").partition("?")[0]
        url = address if address != href and "@" in address else self._resolve_link(href)
        if not links or not url or _is_address_text(said, url):
            return _wrap_in_marks(text, LINK, LINK_END)
        return _wrap_in_marks(f"{text.rstrip()} ({url})", LINK, LINK_END)

    def _resolve_link(self, href: str) -> str | None:
        """Return the absolute URL of a link, or None if it leads to no web page."""
        if not href or href.startswith("#") or len(href) > LONGEST_LINK or re.search(r"[\s{}<>]", href):
            return None
        try:
            if not urlsplit(href).scheme and self.base:
                href = urljoin(
                    self.base, re.sub(r"(?:(?<=/)index|/README)?\.(?:mdx?|markdown|adoc|rst)(?=$|#)", "", href)
                )
            parts = urlsplit(href)
        except ValueError:
            return None
        return href if parts.scheme in ("http", "https") and parts.hostname else None


Flow.DIRECT = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), Flow._read_heading),  # noqa: SLF001 -- its own
    "details": Flow._read_details,  # noqa: SLF001
    "ul": Flow._read_list,  # noqa: SLF001
    "ol": Flow._read_list,  # noqa: SLF001
    "menu": Flow._read_list,  # noqa: SLF001
    "li": Flow._read_item,  # noqa: SLF001
    "dl": Flow._read_definitions,  # noqa: SLF001
    "pre": Flow._read_code,  # noqa: SLF001
    "table": Flow._read_table,  # noqa: SLF001
}


def _parse_paragraph(text: str) -> Text | None:
    lines = [" ".join(line.split()) for line in text.split("\n")]
    joined = re.sub(f"{BOLD_END}([ \n]*){BOLD}", r"\1", "\n".join(filter(None, lines)))
    said = MARKS.sub("", joined).strip()
    if not re.search(r"\w", said) or RATING.match(said):
        return None
    bold = re.match(f"{BOLD}([^{BOLD_END}]*){BOLD_END}", joined.lstrip(f" {LINK}"))
    rest = re.sub(f"{LINK}[^{LINK_END}]*{LINK_END}", "", joined)
    return Text(said, MARKS.sub("", bold.group(1)).strip() if bold else "", not re.search(r"\w", rest))


def _wrap_in_marks(text: str, start: str, end: str) -> str:
    """Put marks around the words, keeping surrounding whitespace outside."""
    words = text.strip()
    if not words:
        return text
    left = text[: len(text) - len(text.lstrip())]
    return f"{left}{start}{words}{end}{text[len(text.rstrip()) :]}"


def _is_address_text(text: str, url: str) -> bool:
    """Whether a link's text is its own address."""
    bare = re.sub(r"^(https?://|mailto:)?(www\.)?", "", url).rstrip("/").lower()
    return text.lower().rstrip("/").endswith(bare)


def _get_picture_name(tag: Tag) -> str:
    """Return the name of a small picture in a sentence ("Click the gear"), or "" for a picture alone."""
    name = " ".join(str(tag.get("alt") or "").split())
    parent = tag.parent
    alone = parent is None or not parent.get_text(strip=True)
    if alone or not name or len(name.split()) > LONGEST_PICTURE_NAME or PICTURE_NAMES.search(name):
        return ""
    return f" {name} "


def _is_answer_opener(tag: Tag) -> bool:
    """Whether a click on the element opens an answer."""
    if tag.name in ("summary", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ul", "table") or tag.find(HEADINGS):
        return False
    opens = (
        tag.has_attr("aria-expanded")
        or tag.get("itemprop") == "name"
        or tag.get("data-toggle", tag.get("data-bs-toggle")) == "collapse"
        or (QUESTION_CLASS.search(_get_class_names(tag)) is not None and tag.find(["p", "div", "ul"]) is None)
    )
    return opens and is_question(" ".join(tag.get_text(" ").split()))


HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]


def _is_text_node(node: object) -> bool:
    return isinstance(node, NavigableString) and not isinstance(
        node, Comment | Declaration | Doctype | ProcessingInstruction
    )


def _collapse_whitespace(node: object) -> str:
    return re.sub(r"\s+", " ", without_templates(str(node)))


def _get_class_names(tag: Tag) -> str:
    found = tag.get("class")
    return " ".join(found) if isinstance(found, list) else str(found or "")


def _is_contents(tag: Tag, items: list[Tag]) -> bool:
    """Whether a list only links to places on the same page."""
    links = tag.find_all("a")
    if len(items) < 2 or len(links) < len(items):  # noqa: PLR2004 -- one link may be meant
        return False
    said = sum(len(link.get_text(strip=True)) for link in links)
    return all(str(a.get("href") or "").startswith("#") for a in links) and said >= len(tag.get_text(strip=True)) - 1


def _get_list_start(tag: Tag) -> int:
    first = str(tag.get("start") or 1)
    return int(first) if first.isdecimal() else 1


def _get_cell_span(cell: Tag, name: str) -> int:
    span = str(cell.get(name) or 1)
    return max(1, min(int(span), 100)) if span.isdecimal() else 1


def _fill_spanned_cells(line: list[str], waiting: dict[int, tuple[int, str]]) -> None:
    while len(line) in waiting:
        left, text = waiting.pop(len(line))
        if left > 1:
            waiting[len(line)] = (left - 1, text)
        line.append(text)


def _get_cell_sign(cell: Tag) -> str:
    """Return the text of a cell without words: a tick, a cross, a dash, or the name of its picture."""
    written = " ".join(cell.get_text(" ").split())
    if written:
        return written.translate(SIGNS) if len(written) <= LONGEST_SIGN else ""
    for tag in cell.find_all(True):
        name = " ".join(str(tag.get("aria-label") or tag.get("alt") or tag.get("title") or "").split())
        if name and len(name.split()) <= LONGEST_PICTURE_NAME and not re.search(r"\.\w{3,4}$", name):
            return name
    return ""


def _count_header_rows(rows: list[Tag]) -> int:
    """Return the number of header rows."""
    return next((at for at, row in enumerate(rows) if not _is_header_row(row)), len(rows))


def _merge_header_rows(rows: list[list[str]]) -> tuple[str, ...]:
    """Join several header rows into one name per column ("Price" over "Summer")."""
    if not any(map(any, rows)):
        return ()
    width = max(map(len, rows))
    padded = [[*row, *[""] * (width - len(row))] for row in rows]
    return tuple(" ".join(dict.fromkeys(filter(None, column))) for column in zip(*padded, strict=True))


def _is_header_row(row: Tag) -> bool:
    cells = row.find_all(("td", "th"), recursive=False)
    return row.find_parent("thead") is not None or (len(cells) > 1 and all(cell.name == "th" for cell in cells))


def _looks_like_head(grid: list[list[str]]) -> bool:
    """Whether the first of three or more rows holds distinct short names and no figures."""
    if len(grid) < 3 or len(grid[0]) < 2:  # noqa: PLR2004
        return False
    first = grid[0]
    short = all(cell and len(cell.split()) <= HEADER_WORDS and not re.search(r"\d|[.!?]$", cell) for cell in first)
    return short and len(set(first)) == len(first) and (len(first) > 2 or _are_pairs(grid))  # noqa: PLR2004


def _are_pairs(grid: list[list[str]]) -> bool:
    return bool(re.match(r"(question|frage|pregunta|faq|q$)", grid[0][0], re.IGNORECASE))


def _capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]
