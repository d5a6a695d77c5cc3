"""Readers of tables of questions and answers: CSV, JSON, JSONL and XLSX."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bs4 import BeautifulSoup

from core.errors import InvalidInput
from core.language import language_of
from knowledge.entries.content import Content
from knowledge.imports.chunker import Article, Chunk, is_question, join_blocks, make_keys_unique, pieces_of
from knowledge.imports.markup.flow import Flow
from knowledge.imports.markup.markdown import markdown_blocks
from knowledge.imports.sources.blocks import Block, Heading, Table, Text
from knowledge.imports.sources.document import Document, Failure, Raw, title_of
from knowledge.imports.sources.encodings import decode_text

COLUMNS = {
    "question": (
        "question",
        "questions",
        "q",
        "frage",
        "pregunta",
        "domanda",
        "pergunta",
        "вопрос",
        "问题",
        "query",
        "prompt",
        "title",
        "heading",
    ),
    "answer": (
        "answer",
        "answers",
        "a",
        "antwort",
        "respuesta",
        "réponse",
        "reponse",
        "risposta",
        "resposta",
        "ответ",
        "答案",
        "reply",
        "response",
        "solution",
        "body",
        "content",
        "text",
        "html",
        "markdown",
    ),
    "phrasings": (
        "phrasings",
        "alternatives",
        "variants",
        "variations",
        "synonyms",
        "alternative questions",
        "similar questions",
        "also asked as",
    ),
    "subject": ("subject", "entity"),
    "url": ("url", "link", "source url", "html url", "permalink"),
    "language": ("language", "lang", "locale"),
    "external_id": ("external id", "id"),
    "title": ("category", "section", "topic", "group"),
}
ASKED = re.compile(r"\bquestion|\bfrage|\bpregunta", re.IGNORECASE)
ANSWERED = re.compile(r"\banswer|\bantwort|\brespuesta|\breply|\bresponse", re.IGNORECASE)
TITLES = frozenset(("title", "heading"))
"""Columns that hold the title of an article unless it is a question."""
LONGEST_CELL = 1_000_000
LONGEST_RECORD = 200
"""The maximum number of lines of a cell; a quotation mark that is not closed by then is taken literally."""
DEEPEST = 6
MARKUP = re.compile(r"</?(?:p|br|a|b|strong|i|em|ul|ol|li|div|span|h[1-6]|table|img|code|u)\b[^<>]*>", re.IGNORECASE)
MARKDOWN = re.compile(r"\*\*[^*\n]+\*\*|!?\[[^\]\n]*\]\([^)\s]+\)|^#{1,6}\s|`[^`\n]+`", re.MULTILINE)
ENTITY = re.compile(r"&(?:amp|nbsp|quot|lt|gt|apos|#\d+|[lr][sd]quo|[mn]dash|hellip|euro|pound);")

Row = dict[str, Any]
Numbered = tuple[str, "Row | str"]
"""The position of a row, and the row or its error."""


def read_csv(raw: Raw, data: bytes) -> Document:
    """Read a CSV table with at least a question and an answer column, or with two unnamed columns."""
    csv.field_size_limit(LONGEST_CELL)
    text = decode_text(data).replace("\r\n", "\n").replace("\r", "\n")
    records = list(_parse_records(text, _detect_delimiter(text)))
    names, body = _split_header([cells for cells in records if isinstance(cells, str) or any(cells)])
    rows = [
        (f"row {number}", _build_row(names, cells))
        for number, cells in enumerate(body, start=len(records) - len(body) + 1)
    ]
    return _build_document(raw, rows)


def read_json(raw: Raw, data: bytes) -> Document:
    """Read an array of questions and answers, which may be nested in objects."""
    try:
        loaded = json.loads(decode_text(data))
    except ValueError as error:
        raise InvalidInput(f"this is no JSON: {error}") from error
    rows = [(f"entry {number}", row) for number, row in enumerate(_collect_rows(loaded), start=1)]
    if not rows:
        raise InvalidInput("there are no questions and answers in it")
    return _build_document(raw, rows)


def read_jsonl(raw: Raw, data: bytes) -> Document:
    """Read one JSON object per line with at least the keys question and answer."""
    lines = enumerate(decode_text(data).splitlines(), start=1)
    return _build_document(raw, [(f"line {number}", _json_row(line)) for number, line in lines if line.strip()])


def read_xlsx(raw: Raw, data: bytes) -> Document:
    """Read a workbook: sheets of questions and answers, and other tables as passages."""
    # Imported here because it is slow and only needed for workbooks.
    import openpyxl  # noqa: PLC0415

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = [
            (sheet.title, [[_format_cell(value) for value in row] for row in sheet.iter_rows(values_only=True)])
            for sheet in book.worksheets
        ]
    except Exception as error:  # a reader may fail on a broken file in any way
        raise InvalidInput("this is no readable workbook") from error
    rows: list[Numbered] = []
    blocks: list[Block] = []
    for name, cells in sheets:
        filled = [(number, row) for number, row in enumerate(cells, start=1) if any(row)]
        try:
            names, body = _split_header([row for _, row in filled])
        except InvalidInput:
            blocks += _build_sheet_blocks(name, [row for _, row in filled])
            continue
        where = f"sheet {name}, row" if len(sheets) > 1 else "row"
        rows += [(f"{where} {number}", _build_row(names, row)) for number, row in filled[len(filled) - len(body) :]]
    return _build_document(raw, rows, blocks)


def _build_sheet_blocks(name: str, rows: list[list[str]]) -> list[Block]:
    if not rows:
        return []
    header, body = (rows[0], rows[1:]) if len(rows) > 1 else ([], rows)
    return [Heading(1, name), Table(tuple(header), tuple(map(tuple, body)))]


def _format_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).removesuffix(" 00:00:00").strip()


def _detect_delimiter(text: str) -> str:
    """Return the most frequent separator in the first line, ignoring quoted text."""
    first = re.sub(r"\"[^\"]*\"", "", next((line for line in text.split("\n") if line.strip()), ""))
    return max(",;\t|", key=first.count)


def _parse_records(text: str, delimiter: str) -> Iterator[list[str] | str]:
    """Yield the cells of each row, or its error; a malformed row ends with its line."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        end = at + 1
        while (
            lines[at:end] and sum(map(_count_quotes, lines[at:end])) % 2 and end < min(len(lines), at + LONGEST_RECORD)
        ):
            end += 1
        record = "\n".join(lines[at:end])
        if _count_quotes(record) % 2:
            yield "a quotation mark is not closed"
            at += 1
            continue
        try:
            yield from (
                [cell.strip() for cell in row]
                for row in csv.reader(io.StringIO(record, newline=""), delimiter=delimiter)
            )
        except csv.Error as error:
            yield str(error)
        at = end


def _count_quotes(text: str) -> int:
    return text.count('"')


def _split_header(records: list[list[str] | str]) -> tuple[list[str], list[list[str] | str]]:
    """Return the names of the columns and the rows below them."""
    rows = [row for row in records if isinstance(row, list)]
    for row in rows[:DEEPEST]:
        names = [_clean_column_name(cell) for cell in row]
        if _has_column(names, "question") and _has_column(names, "answer"):
            return _resolve_column_names(row), records[records.index(row) + 1 :]
    if rows and _is_headless(rows):
        return ["question", "answer"], records
    names = [_clean_column_name(cell) for cell in rows[0]] if rows else []
    missing = [column for column in ("question", "answer") if not _has_column(names, column)]
    listed = ", ".join(sorted(filter(None, names))) or "none"
    raise InvalidInput(f"there is no column {' and no column '.join(missing)} (found: {listed})")


def _resolve_column_names(row: list[str]) -> list[str]:
    """Return the canonical column names; a name that contains "question" or "answer" counts if no exact one exists."""
    names = [_clean_column_name(cell) for cell in row]
    for column, pattern in (("question", ASKED), ("answer", ANSWERED)):
        if not set(names) & set(COLUMNS[column]):
            found = next((at for at, name in enumerate(names) if pattern.search(name)), None)
            if found is None:  # one column matches both, as "Questions and answers"
                raise InvalidInput(f"there is no column {column} (found: {', '.join(sorted(filter(None, names)))})")
            names[found] = column
    return names


def _is_headless(rows: list[list[str]]) -> bool:
    pairs = [row for row in rows if len(row) > 1 and row[0] and row[1]]
    asking = sum(is_question(row[0]) for row in pairs)
    return len(pairs) >= len(rows) / 2 and asking > len(pairs) / 2 and not any(is_question(row[1]) for row in pairs[:1])


def _has_column(names: Sequence[str], column: str) -> bool:
    pattern = ASKED if column == "question" else ANSWERED
    return bool(set(names) & set(COLUMNS[column])) or any(pattern.search(name) for name in names)


def _clean_column_name(cell: object) -> str:
    return re.sub(r"[\s_-]+", " ", str(cell)).strip().lower()


def _build_row(names: list[str], cells: list[str] | str) -> Row | str:
    if isinstance(cells, str):
        return cells
    if len(cells) > len(names) and any(cells[len(names) :]):
        if names[-1] not in COLUMNS["answer"]:
            return f"it has {len(cells)} cells instead of {len(names)}"
        cells = [*cells[: len(names) - 1], ", ".join(filter(None, cells[len(names) - 1 :]))]
    return dict(zip(names, cells, strict=False))


def _json_row(line: str) -> Row | str:
    try:
        row = json.loads(line)
    except ValueError as error:
        return f"this is no JSON: {error}"
    if not isinstance(row, dict):
        return "this is no JSON object"
    names = [_clean_column_name(key) for key in row]
    missing = [column for column in ("question", "answer") if not _has_column(names, column)]
    if missing:
        return f"there is no column {' and no column '.join(missing)} (found: {', '.join(sorted(names)) or 'none'})"
    return _rename_row_keys(row)


def _rename_row_keys(row: Row) -> Row | str:
    try:
        return dict(zip(_resolve_column_names([str(key) for key in row]), row.values(), strict=True))
    except InvalidInput as error:
        return str(error)


def _collect_rows(node: Any, path: tuple[str, ...] = ()) -> Iterator[Row | str]:
    """Yield every object with a question and an answer; the names of its parents are its topic."""
    if isinstance(node, list):
        for part in node:
            yield from _collect_rows(part, path)
    elif isinstance(node, dict):
        names = [_clean_column_name(key) for key in node]
        asked = _has_column(names, "question") and _has_column(names, "answer")
        if asked and not any(isinstance(value, dict) for value in node.values()):
            topic = {} if set(names) & set(COLUMNS["title"]) or not path else {"category": " > ".join(path)}
            keyed = _rename_row_keys(node)
            yield keyed if isinstance(keyed, str) else {**topic, **keyed}
            return
        asking = {key: value for key, value in node.items() if isinstance(value, str) and is_question(str(key))}
        yield from ({"question": key, "answer": value} for key, value in asking.items())
        name = next(
            (
                str(node[key])
                for key in node
                if _clean_column_name(key) in ("category", "title", "name", "section", "topic")
                and isinstance(node[key], str)
            ),
            "",
        )
        for key, value in node.items():
            if isinstance(value, list | dict):
                inner = name or ("" if _clean_column_name(key) in WRAPPERS else str(key))
                yield from _collect_rows(value, (*path, inner) if inner else path)


WRAPPERS = frozenset(
    (
        "faq",
        "faqs",
        "questions",
        "entries",
        "items",
        "data",
        "articles",
        "results",
        "rows",
        "mainentity",
        "list",
        "answers",
    )
)


def _build_document(raw: Raw, rows: Iterable[Numbered], blocks: list[Block] | None = None) -> Document:
    pieces: list[Chunk] = []
    failed: list[Failure] = []
    rows = list(rows)
    language = language_of(
        " ".join(t for _, row in rows if isinstance(row, dict) for v in row.values() for t in _list_value_texts(v))
    )
    for where, row in rows:
        if isinstance(row, dict) and not any(map(list, map(_list_value_texts, row.values()))):
            continue
        try:
            if isinstance(row, str):
                raise InvalidInput(row)
            pieces += _build_row_pieces({_clean_column_name(key): value for key, value in row.items() if key}, language)
        except InvalidInput as error:
            failed.append(Failure(where, str(error)))
    title = title_of(raw.uri)
    pieces += pieces_of(Article(title, blocks, language_of(join_blocks(blocks)))) if blocks else []
    if not pieces:
        raise InvalidInput(f"{failed[0].uri}: {failed[0].reason}" if failed else "the table has no rows")
    return Document(title, make_keys_unique(pieces), None, tuple(failed))  # no URL: only single rows have one


def _build_row_pieces(cells: Row, otherwise: str) -> Iterator[Chunk]:
    asked = [*_cell_texts(cells, "question"), *_cell_texts(cells, "phrasings")]
    questions = tuple(dict.fromkeys(" ".join(question.split()) for question in asked))
    blocks = _parse_cell_blocks(next(iter(_cell_texts(cells, "answer")), ""))
    answer = join_blocks(blocks)
    if not questions or not answer:
        raise InvalidInput(f"the {'answer' if questions else 'question'} is empty")
    language = (_find_cell_text(cells, "language") or "")[:8] or language_of(f"{questions[0]} {answer}", otherwise)
    subject, external_id = _find_cell_text(cells, "subject"), _find_cell_text(cells, "external_id")
    if _is_article(cells, questions[0], blocks):
        yield from pieces_of(Article(questions[0], blocks, language, subject))
        return
    content = Content(
        "faq",
        answer,
        questions,
        _find_cell_text(cells, "title"),
        subject,
        (),
        language,
        external_id,
        _find_cell_text(cells, "url"),
    )
    content.checked()
    yield Chunk(external_id or " | ".join(filter(None, (subject, questions[0]))), content)


def _is_article(cells: Row, title: str, blocks: list[Block]) -> bool:
    """Whether a row holds an article with a title rather than a question."""
    named = next((name for name in COLUMNS["question"] if cells.get(name)), "")
    return named in TITLES and not is_question(title) and any(isinstance(block, Heading) for block in blocks)


def _parse_cell_blocks(cell: str) -> list[Block]:
    """Parse the text of a cell; text that only resembles a tag stays unchanged."""
    if MARKDOWN.search(cell):
        return markdown_blocks(re.sub(r"(?<=\S)\n(?=\S)", "  \n", cell))
    if MARKUP.search(cell):
        return Flow().read(BeautifulSoup(cell, "html.parser"))
    text = html.unescape(cell) if ENTITY.search(cell) else cell
    return [Text(part) for part in re.split(r"\n\s*\n", text) if part.strip()]


def _cell_texts(cells: Row, column: str) -> list[str]:
    value = next((cells[name] for name in COLUMNS[column] if cells.get(name)), None)
    return list(_list_value_texts(value, split=column == "phrasings"))


def _find_cell_text(cells: Row, column: str) -> str | None:
    return next(iter(_cell_texts(cells, column)), None)


def _list_value_texts(value: Any, *, split: bool = False) -> Iterator[str]:
    if isinstance(value, list):
        parts = [str(part) for part in value]
    elif value is None:
        parts = []
    else:
        parts = str(value).split(";") if split else [str(value)]
    yield from (part.strip() for part in parts if part.strip())
