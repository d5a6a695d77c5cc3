"""What every reader makes of a document: headings, paragraphs, lists, tables and code, without markup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Heading:
    """Everything up to the next heading of its level, or up to its end, belongs to it."""

    level: float
    text: str
    asks: bool = False
    """The document itself presents it as a question, whatever its words."""


@dataclass(frozen=True)
class End:
    """Closes the headings of this level and below; what follows belongs to those above."""

    level: float


@dataclass(frozen=True)
class Text:
    """A paragraph; a line break in it was meant as one."""

    text: str
    bold: str = ""
    """Its beginning that is bold."""
    linked: bool = False
    """It is nothing but links."""


@dataclass(frozen=True)
class Code:
    """Lines that are shown as they are."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows of cells; without a header where the document has none."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Rows:
    """Lines that each say something on their own."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Items:
    """A list; ``first`` is the number of its first item, None for bullets."""

    items: tuple[tuple[Block, ...], ...]
    first: int | None = None


Block: TypeAlias = Heading | End | Text | Code | Table | Rows | Items


def render_block(block: Block) -> str:
    """What a customer is shown of a block: no blank line in it, a list item or a table row a line."""
    return "\n".join(lines_of(block))


def lines_of(block: Block) -> list[str]:
    """The lines of a block; those that go on with the item above are indented."""
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
    """The lines of each item, the first of them with its mark."""
    for number, item in enumerate(block.items, start=block.first or 0):
        lines = _item_lines(item)
        if lines:
            mark = "- " if block.first is None else f"{number}. "
            yield [mark + lines[0], *(" " * len(mark) + line for line in lines[1:])]


def is_linked(block: Block) -> bool:
    """Is it nothing but links?"""
    if isinstance(block, Items):
        return all(is_linked(part) for item in block.items for part in item)
    return isinstance(block, Text) and block.linked


def words_of(block: Block) -> int:
    """How long a block is."""
    return len(render_block(block).split())


def _item_lines(item: tuple[Block, ...]) -> list[str]:
    """An item's sentences in one line; lists and code in it below that."""
    lines: list[str] = []
    for block in item:
        if isinstance(block, Text | Heading) and len(lines) <= 1:
            lines = [" ".join([*lines, *lines_of(block)])]
        else:
            lines += lines_of(block)
    return lines


def _render_table_row(header: tuple[str, ...], row: tuple[str, ...]) -> str:
    """A row that can be read without the others."""
    if not header:
        return ": ".join(filter(None, row)) if len(row) <= 2 else "; ".join(filter(None, row))  # noqa: PLR2004
    names = (*header, *[""] * (len(row) - len(header)))
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(names, row, strict=False) if cell)
