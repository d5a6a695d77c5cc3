"""Reads CSV and JSONL tables of questions and answers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from core.errors import InvalidInput
from knowledge.chunking import Piece, numbered
from knowledge.content import Content
from knowledge.sources.document import Document, Raw, title_of
from knowledge.sources.language import language_of
from knowledge.sources.text import decoded

COLUMNS = {
    "question": ("question", "questions", "q", "title", "prompt"),
    "answer": ("answer", "a", "reply", "response"),
    "phrasings": ("phrasings", "alternatives", "variants"),
    "subject": ("subject", "entity"),
    "url": ("url", "link", "source_url"),
    "language": ("language", "lang"),
    "external_id": ("external_id", "id"),
}
LONGEST_CELL = 1_000_000

Row = dict[str, Any]


def read_csv(raw: Raw, data: bytes) -> Document:
    """A table with at least the columns question and answer."""
    csv.field_size_limit(LONGEST_CELL)
    text = decoded(data)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restkey="", strict=True))
    except csv.Error as error:
        raise InvalidInput(f"this is no readable CSV table: {error}") from error
    _need_columns(list(rows[0]) if rows else first.split(delimiter))
    return _document(raw, [(f"row {number}", row) for number, row in enumerate(rows, start=2)])


def read_jsonl(raw: Raw, data: bytes) -> Document:
    """One JSON object a line with at least the keys question and answer."""
    rows: list[tuple[str, Row]] = []
    for number, line in enumerate(decoded(data).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InvalidInput(f"line {number} is no JSON: {error}") from error
        if not isinstance(row, dict):
            raise InvalidInput(f"line {number} is no JSON object")
        _need_columns([str(key) for key in row], f"line {number}: ")
        rows.append((f"line {number}", row))
    return _document(raw, rows)


def _need_columns(names: list[str], where: str = "") -> None:
    known = {str(name).strip().lower() for name in names}
    missing = [column for column in ("question", "answer") if not known & set(COLUMNS[column])]
    if missing:
        listed = ", ".join(sorted(n for n in known if n)) or "none"
        raise InvalidInput(f"{where}there is no column {' and no column '.join(missing)} (found: {listed})")


def _document(raw: Raw, rows: list[tuple[str, Row]]) -> Document:
    pieces: list[Piece] = []
    for where, row in rows:
        cells = {str(key).strip().lower(): value for key, value in row.items() if key}
        if any(_texts(value) for value in cells.values()):
            pieces.append(_piece(where, cells))
    if not pieces:
        raise InvalidInput("the table has no rows")
    return Document(title_of(raw.uri), numbered(pieces), raw.url)


def _piece(where: str, cells: Row) -> Piece:
    questions = tuple(dict.fromkeys([*_cell_texts(cells, "question"), *_cell_texts(cells, "phrasings")]))
    answer = _one(cells, "answer")
    if not questions or not answer:
        raise InvalidInput(f"{where}: the {'answer' if questions else 'question'} is empty")
    external_id = _one(cells, "external_id")
    content = Content(
        "faq",
        answer,
        questions,
        subject=_one(cells, "subject"),
        language=_one(cells, "language") or language_of(f"{questions[0]} {answer}"),
        external_id=external_id,
        url=_one(cells, "url"),
    )
    return Piece(external_id or " | ".join(filter(None, (content.subject, questions[0]))), content)


def _cell_texts(cells: Row, column: str) -> list[str]:
    value = next((cells[name] for name in COLUMNS[column] if cells.get(name)), None)
    return list(_texts(value, split=column == "phrasings"))


def _one(cells: Row, column: str) -> str | None:
    return next(iter(_cell_texts(cells, column)), None)


def _texts(value: Any, *, split: bool = False) -> Iterator[str]:
    if isinstance(value, list):
        parts = [str(part) for part in value]
    elif value is None:
        parts = []
    else:
        parts = str(value).split(";") if split else [str(value)]
    yield from (part.strip() for part in parts if part.strip())
