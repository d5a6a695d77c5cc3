"""The common result of all readers: headings, paragraphs, lists, tables and code, without markup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Heading:
    """A heading; everything up to the next heading of its level, or to its ``End``, belongs to it."""

    level: float
    text: str
    asks: bool = False
    """Whether the document presents it as a question, whatever its wording."""


@dataclass(frozen=True)
class End:
    """The end of the headings of this level and below; later blocks belong to those above."""

    level: float


@dataclass(frozen=True)
class Text:
    """A paragraph; its line breaks are intended."""

    text: str
    bold: str = ""
    """The beginning of the text, if bold."""
    linked: bool = False
    """Whether it consists of links only."""


@dataclass(frozen=True)
class Code:
    """Lines that are shown unchanged."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows of cells; the header is empty if the document has none."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Rows:
    """Lines that are each meaningful alone."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Items:
    """A list; ``first`` is the number of its first item, None for bullets."""

    items: tuple[tuple[Block, ...], ...]
    first: int | None = None


Block: TypeAlias = Heading | End | Text | Code | Table | Rows | Items


def render_block(block: Block) -> str:
    """Render a block as text without blank lines, with one line per list item or table row."""
    return "\n".join(lines_of(block))


def lines_of(block: Block) -> list[str]:
    """Return the lines of a block; continuation lines of an item are indented."""
    if isinstance(block, Items):
        return [line for item in marked_items(block) for line in item]
    if isinstance(block, Table):
        return list(filter(None, (_render_table_row(block.header, row) for row in block.rows)))
    if isinstance(block, Rows):
        return list(block.lines)
    if isinstance(block, Code):
        return [line.rstrip() for line in block.text.splitlines() if line.strip()]
    return [] if isinstance(block, End) else [line for line in block.text.splitlines() if line.strip()]


def marked_items(block: Items) -> Iterator[list[str]]:
    """Yield the lines of each item, the first with its bullet or number."""
    for number, item in enumerate(block.items, start=block.first or 0):
        lines = _item_lines(item)
        if lines:
            mark = "- " if block.first is None else f"{number}. "
            yield [mark + lines[0], *(" " * len(mark) + line for line in lines[1:])]


def is_linked(block: Block) -> bool:
    """Whether the block consists of links only."""
    if isinstance(block, Items):
        return all(is_linked(part) for item in block.items for part in item)
    return isinstance(block, Text) and block.linked


def words_of(block: Block) -> int:
    """Return the number of words."""
    return len(render_block(block).split())


def _item_lines(item: tuple[Block, ...]) -> list[str]:
    """Return the lines of an item: its text in one line, then its lists and code."""
    lines: list[str] = []
    for block in item:
        if isinstance(block, Text | Heading) and len(lines) <= 1:
            lines = [" ".join([*lines, *lines_of(block)])]
        else:
            lines += lines_of(block)
    return lines


def _render_table_row(header: tuple[str, ...], row: tuple[str, ...]) -> str:
    """Render a row so that it can be read alone."""
    if not header:
        return ": ".join(filter(None, row)) if len(row) <= 2 else "; ".join(filter(None, row))  # noqa: PLR2004
    names = (*header, *[""] * (len(row) - len(header)))
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(names, row, strict=False) if cell)
