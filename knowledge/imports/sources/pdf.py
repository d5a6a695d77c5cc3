"""Read PDF documents by their layout, since a PDF stores neither paragraphs nor columns."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from core.errors import InvalidInput
from knowledge.imports.chunker import MARKS, is_question
from knowledge.imports.markup.lines import BULLET, CONTENTS, SIGNS, STEP, WIDE, can_be_heading, joined_lists
from knowledge.imports.sources.blocks import Block, Heading, Items, Table, Text
from knowledge.imports.sources.document import Document, Raw, address_of
from knowledge.imports.sources.questions import ANSWER, QUESTION
from knowledge.imports.sources.text import About, document_of

MARK = re.compile(rf"(?:{SIGNS}|o)\s*$")
"""Matches a bullet alone in a line."""
PICTURED = re.compile(r"dingbat|symbol|wingding|webding", re.IGNORECASE)
"""Matches fonts whose letters are symbols."""
FARTHEST_MARK = 6
WIDEST_BLANK = 1.0
NARROWEST_BLANK = 0.12
"""The gap between letters, relative to their size, from which it counts as a space."""
LARGER = 1.08
"""The factor by which the letters of a heading are larger than those of the body."""
SHORT = 0.6
"""A line that names the following text fills less than this share of its column."""
OFTEN = 0.6
"""Lines at the same height on more than this share of the pages are headers or footers."""
FEW_PAGES = 3
SHORT_CELL = 3.5
LONG_CELL = 6
FARTHEST_ROW = 2.5
FULL = 0.8
"""A line that ends before this share of its box's width was not wrapped."""
SAME_LINE = 0.6
PAGE_NUMBER = re.compile(
    r"^(?:page|seite|p\.)?\s*[-\u2013]?\s*\d{1,4}\s*(?:(?:/|of|von)\s*\d{1,4})?\s*[-\u2013]?$", re.IGNORECASE
)


@dataclass(frozen=True)
class PdfLine:
    """A printed line of a page."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    bold: bool
    box: int
    page: int
    left: float
    """The left edge of its bullet or number, otherwise of its text."""

    @property
    def height(self) -> float:
        """The distance between its lowest and highest point."""
        return self.y1 - self.y0


def read_pdf(raw: Raw, data: bytes) -> Document:
    """Read a PDF that contains text.

    Raises:
        InvalidInput: The PDF cannot be read, or its pages are pictures.
    """
    lines = _without_furniture(_printed_lines(data))
    if not any(re.search(r"\w", line.text) for line in lines):
        raise InvalidInput("there is no text in the PDF; are its pages pictures?")
    return document_of(raw, _build_blocks(lines), About(url=address_of(raw), loose=True))


def _printed_lines(data: bytes) -> list[PdfLine]:
    # Imported here because it is slow and only needed for PDFs.
    from pdfminer.high_level import extract_pages  # noqa: PLC0415
    from pdfminer.pdfdocument import PDFPasswordIncorrect, PDFTextExtractionNotAllowed  # noqa: PLC0415

    logging.getLogger("pdfminer").setLevel(logging.CRITICAL)
    # The parser reads past a stream that ends on the line of its object; the replacement must keep the length.
    data = re.sub(rb"[\r\n]endstreamendobj", b"endstream\nendobj", data)
    try:
        return [
            line
            for number, page in enumerate(extract_pages(io.BytesIO(data)))
            for line in _with_marks([line for box in page for line in _box_lines(box, number)])
        ]
    except (PDFPasswordIncorrect, PDFTextExtractionNotAllowed) as error:
        raise InvalidInput("the PDF cannot be read: it is protected by a password") from error
    except Exception as error:  # a reader may fail on a broken file in any way
        raise InvalidInput(f"the PDF cannot be read: {str(error) or type(error).__name__}") from error


def _box_lines(box: Any, page: int) -> Iterator[PdfLine]:
    from pdfminer.layout import LTTextBox, LTTextLine  # noqa: PLC0415

    place = getattr(box, "index", None) or 0
    # A letter without width, as some bullets are, belongs to no box.
    lines = [box] if isinstance(box, LTTextLine) else box if isinstance(box, LTTextBox) else []
    for line in lines:
        if isinstance(line, LTTextLine):
            for letters in _split_segments(line):
                yield _build_line(letters, place, page)


def _split_segments(line: Iterable[Any]) -> Iterator[list[Any]]:
    """Split the letters of a line into cells or columns, where the gap is wider than between words."""
    from pdfminer.layout import LTChar  # noqa: PLC0415

    letters: list[Any] = []
    for letter in line:
        if not isinstance(letter, LTChar) or not letter.get_text().strip():
            continue
        if letters and letter.x0 - letters[-1].x1 > WIDEST_BLANK * letter.size:
            yield letters
            letters = []
        letters.append(letter)
    if letters:
        yield letters


def _build_line(letters: list[Any], box: int, page: int) -> PdfLine:
    text = ""
    for before, letter in zip([None, *letters], letters, strict=False):
        apart = before is not None and letter.x0 - before.x1 > NARROWEST_BLANK * letter.size
        text += (" " if apart else "") + letter.get_text()
    if PICTURED.search(letters[0].fontname):
        text = "• " + text[1:].lstrip()
    sizes = Counter(round(letter.size, 1) for letter in letters)
    bold = sum("bold" in letter.fontname.lower() or "black" in letter.fontname.lower() for letter in letters)
    x0, x1 = letters[0].x0, letters[-1].x1
    y0, y1 = min(letter.y0 for letter in letters), max(letter.y1 for letter in letters)
    size = sizes.most_common(1)[0][0]
    return PdfLine(text.replace("\u00ad", ""), x0, y0, x1, y1, size, bold > len(letters) / 2, box, page, left=x0)


def _with_marks(lines: list[PdfLine]) -> list[PdfLine]:
    """Join bullets and numbers that stand apart to their lines."""
    counted = _select_counting_lines(lines)
    signs = {id(line): sign for line in lines if (sign := _get_list_mark(line.text.strip(), counts=line in counted))}
    kept = list(lines)
    for mark in [line for line in lines if id(line) in signs]:
        beside = [line for line in kept if id(line) not in signs and line.x0 >= mark.x1 and _on_one_line(line, mark)]
        target = min(beside, key=lambda line: line.x0, default=None)
        if target is not None and target.x0 - mark.x1 < FARTHEST_MARK * mark.size:
            at = next(at for at, line in enumerate(kept) if line is target)
            kept[at] = replace(target, text=f"{signs[id(mark)]} {target.text.strip()}", left=mark.x0)
            kept = [line for line in kept if line is not mark]
    return _add_number_marks(kept)


def _add_number_marks(lines: list[PdfLine]) -> list[PdfLine]:
    """Add a period after the numbers of lines that count up without one."""
    found = [re.match(r"(\d{1,2})\s+(?=[^\W\d_])", line.text) for line in lines]
    numbers = [int(number.group(1)) if number else None for number in found]
    kept = list(lines)
    for at, number in enumerate(numbers):
        around = {numbers[at - 1] if at else None, numbers[at + 1] if at + 1 < len(numbers) else None}
        if number is not None and around & {number - 1, number + 1}:
            kept[at] = replace(lines[at], text=re.sub(r"^(\d+)\s+", r"\1. ", lines[at].text))
    return kept


def _get_list_mark(text: str, *, counts: bool) -> str:
    """Return the list mark that the line consists of, or ""."""
    if counts or re.fullmatch(r"\(?\d{1,3}[.)]", text):
        return text.strip("().") + "."
    return "•" if MARK.match(text) else ""


def _select_counting_lines(lines: list[PdfLine]) -> list[PdfLine]:
    """Return lines with only a number that stand below each other and count up."""
    numbers = [line for line in lines if re.fullmatch(r"\d{1,2}", line.text.strip())]
    following = {(round(line.x1), int(line.text)) for line in numbers}
    return [n for n in numbers if any((round(n.x1), int(n.text) + step) in following for step in (1, -1))]


def _on_one_line(one: PdfLine, other: PdfLine) -> bool:
    overlap = min(one.y1, other.y1) - max(one.y0, other.y0)
    return overlap > SAME_LINE * min(one.height, other.height)


def _without_furniture(lines: list[PdfLine]) -> list[PdfLine]:
    """Remove page numbers, headers and footers."""
    pages = len({line.page for line in lines})
    seen = Counter((re.sub(r"\d+", "0", line.text.strip()), round(line.y0 / 5)) for line in lines)
    edge = [line for line in lines if not PAGE_NUMBER.match(line.text.strip()) and not CONTENTS.search(line.text)]
    if pages < FEW_PAGES:
        return edge
    often = {where for where, count in seen.items() if count > max(OFTEN * pages, 2)}
    return [line for line in edge if (re.sub(r"\d+", "0", line.text.strip()), round(line.y0 / 5)) not in often]


def _build_blocks(lines: list[PdfLine]) -> list[Block]:
    body = Counter[float]()
    for line in lines:
        body[line.size] += len(line.text)
    size = body.most_common(1)[0][0]
    larger = sorted({line.size for line in lines if line.size > size * LARGER}, reverse=True)
    levels = {letters: level for level, letters in enumerate(larger, start=1)}
    blocks: list[Block] = []
    parts = _group_boxes(_with_tables(lines))
    for at, part in enumerate(parts):
        if isinstance(part, Table):
            blocks.append(part)
            continue
        following = parts[at + 1] if at + 1 < len(parts) else None
        blocks += _box_blocks(part, following if isinstance(following, list) else None, levels)
    return joined_lists(_join_continuations(_names_joined(blocks)))


def _group_boxes(lines: list[PdfLine | Table]) -> list[list[PdfLine] | Table]:
    parts: list[list[PdfLine] | Table] = []
    for line in lines:
        last = parts[-1] if parts else None
        if isinstance(line, Table):
            parts.append(line)
        elif isinstance(last, list) and (last[-1].page, last[-1].box) == (line.page, line.box):
            last.append(line)
        else:
            parts.append([line])
    return parts


def _with_tables(lines: list[PdfLine]) -> list[PdfLine | Table]:
    """Replace the cells of each table by the table, at the position of its first cell."""
    found: list[PdfLine | Table] = []
    gone: set[int] = set()
    tables = {id(table[0][0]): table for table in _find_tables(lines)}
    for line in lines:
        table = tables.get(id(line))
        if table is not None:
            cells = [tuple(" ".join(cell.text.split()) for cell in row) for row in table]
            found.append(Table(cells[0], tuple(cells[1:])))
            gone.update(id(cell) for row in table for cell in row)
        elif id(line) not in gone:
            found.append(line)
    return [part for part in found if id(part) not in gone]


def _find_tables(lines: list[PdfLine]) -> Iterator[list[list[PdfLine]]]:
    """Yield tables: three or more consecutive rows of short cells with aligned edges."""
    table: list[list[PdfLine]] = []
    for row in [*_group_rows(lines), []]:
        if table and _is_next_row(table[-1], row):
            table.append(row)
            continue
        if len(table) >= 3 and _is_short(table):  # noqa: PLR2004
            yield table
        table = [row] if len(row) > 1 else []


def _is_next_row(above: list[PdfLine], row: list[PdfLine]) -> bool:
    """Whether a row continues a table, on the same page or on the next one."""
    if len(row) != len(above) or not all(map(_is_aligned, above, row)):
        return False
    if row[0].page == above[0].page:
        return above[0].y0 - row[0].y1 < FARTHEST_ROW * row[0].height
    return row[0].page == above[0].page + 1


def _group_rows(lines: list[PdfLine]) -> Iterator[list[PdfLine]]:
    """Group lines that stand side by side, from the top of each page to its bottom."""
    row: list[PdfLine] = []
    for line in sorted(lines, key=lambda line: (line.page, -line.y1, line.x0)):
        if row and line.page == row[0].page and _on_one_line(line, row[0]):
            row.append(line)
            continue
        if row:
            yield sorted(row, key=lambda cell: cell.x0)
        row = [line]
    if row:
        yield sorted(row, key=lambda cell: cell.x0)


def _is_aligned(one: PdfLine, other: PdfLine) -> bool:
    near = one.size
    middle = abs((one.x0 + one.x1) - (other.x0 + other.x1)) / 2
    return min(abs(one.x0 - other.x0), abs(one.x1 - other.x1), middle) < near


def _is_short(table: list[list[PdfLine]]) -> bool:
    """Whether the cells are short enough for a table; a column of prose has longer lines."""
    words = [len(cell.text.split()) for row in table for cell in row]
    return sum(words) / len(words) <= (SHORT_CELL if len(table[0]) == 2 else LONG_CELL)  # noqa: PLR2004


def _box_blocks(box: list[PdfLine], following: list[PdfLine] | None, levels: dict[float, int]) -> Iterator[Block]:
    width = max(line.x1 for line in box) - min(line.x0 for line in box)
    paragraph: list[PdfLine] = []
    for at, line in enumerate(box):
        after = box[at + 1 :] or (following or [])
        kind = _classify_line(line, after, levels, alone=len(box) == 1, first=at == 0, width=width)
        if kind is not None or _is_paragraph_start(line, paragraph, width):
            yield from _build_paragraph(paragraph)
            paragraph = []
        if kind is not None:
            yield kind
        else:
            paragraph.append(line)
    yield from _build_paragraph(paragraph)


def _is_paragraph_start(line: PdfLine, before: list[PdfLine], width: float) -> bool:
    """Whether a line begins a paragraph or a list item."""
    text = line.text.strip()
    if any(mark.match(text) for mark in (BULLET, STEP, QUESTION, ANSWER)):
        return True
    if not before:
        return False
    last = before[-1]
    if last.y0 - line.y1 > 0.6 * line.height:  # a larger gap than between lines
        return True
    if not text[:1].isupper():
        return False
    short = last.x1 - last.left < FULL * width
    listed = BULLET.match(before[0].text.strip()) or STEP.match(before[0].text.strip())
    if listed and (line.x0 <= before[0].left + 1) and (short or before[0].left < before[0].x0):
        return True
    return short and last.text.rstrip().endswith((".", "!", ":", *MARKS))


def _classify_line(  # noqa: PLR0911 -- one a kind of line
    line: PdfLine, after: list[PdfLine], levels: dict[float, int], *, alone: bool, first: bool, width: float
) -> Block | None:
    """Return the heading or question that a line is, or None."""
    text = line.text.strip()
    if BULLET.match(text) or QUESTION.match(text) or ANSWER.match(text):
        return None
    if line.size in levels and len(text.split()) <= 20:  # noqa: PLR2004
        return Heading(levels[line.size], text)
    if text.endswith(MARKS) and is_question(text) and (first or line.bold) and after:
        return Text(text, text)
    deepest = len(levels) + 1
    if not can_be_heading(text) or (STEP.match(text) and not line.bold):
        return None
    if line.bold and after and not after[0].bold:
        return Heading(deepest, text)
    if alone and after and len(after[0].text.split()) > len(text.split()):
        return Heading(deepest + 1, text)
    begins = len(after) > 1 and after[0].text.strip()[:1].isupper() and first
    narrow = line.x1 - line.x0 < SHORT * width
    return Heading(deepest + 1, text) if begins and narrow and len(text.split()) <= 6 else None  # noqa: PLR2004


def _build_paragraph(lines: list[PdfLine]) -> Iterator[Block]:
    if not lines:
        return
    text = flowing_line(line.text for line in lines)
    bullet, step = BULLET.match(text), STEP.match(text)
    if bullet and text[bullet.end() :].strip():
        yield Items(((Text(text[bullet.end() :].strip()),),))
    elif step:
        yield Items(((Text(text[step.end() :].strip()),),), int(step.group(1)))
    elif text.strip():
        yield Text(text)


def flowing_line(lines: Iterable[str]) -> str:
    """Join lines that were wrapped at the width of a column."""
    text = ""
    for line in lines:
        part = " ".join(line.split())
        if text.endswith("-") and text[-2:-1].isalpha() and part[:1].islower():
            text = text[:-1] + part
        elif text and WIDE.match(text[-1]) and WIDE.match(part[:1]):
            text += part
        else:
            text = f"{text} {part}".strip()
    return text


def _names_joined(blocks: list[Block]) -> Iterator[Block]:
    """Join a heading that was split into two lines."""
    last: Block | None = None
    for block in blocks:
        if (
            isinstance(block, Heading)
            and isinstance(last, Heading)
            and last.level == block.level
            and block.text[:1].islower()
        ):
            last = replace(last, text=f"{last.text} {block.text}")
            continue
        if last is not None:
            yield last
        last = block
    if last is not None:
        yield last


def _join_continuations(blocks: Iterable[Block]) -> list[Block]:
    """Join sentences that continue in the next column or on the next page."""
    kept: list[Block] = []
    for block in blocks:
        last = kept[-1] if kept else None
        goes_on = isinstance(block, Text) and block.text[:1].islower() and not block.bold
        if (
            isinstance(block, Text)
            and goes_on
            and isinstance(last, Text)
            and not last.text.endswith((".", "!", ":", *MARKS))
        ):
            kept[-1] = Text(flowing_line((last.text, block.text)))
        elif (
            isinstance(block, Text)
            and goes_on
            and isinstance(last, Items)
            and isinstance(last.items[-1][0], Text)
            and not last.items[-1][0].text.endswith((".", "!", ":"))
        ):
            whole = Text(flowing_line((last.items[-1][0].text, block.text)))
            kept[-1] = Items((*last.items[:-1], (whole,)), last.first)
        else:
            kept.append(block)
    return kept
