"""Read AsciiDoc by converting it to Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from knowledge.imports.markup.markdown import markdown_blocks
from knowledge.imports.sources.document import Document, Raw, address_of
from knowledge.imports.sources.encodings import decode_text
from knowledge.imports.sources.text import About, document_of

ATTRIBUTE = re.compile(r"^:(!?[\w-]+!?):\s*(.*)$")
HEADING = re.compile(r"^(={1,6})\s+(\S.*?)(?:\s+=+)?$")
FENCE = re.compile(r"^(-{4,}|\.{4,}|`{3,})\s*\w*$")
COMMENT_FENCE = re.compile(r"^/{4,}$")
FRAME = re.compile(r"^(={4,}|\*{4,}|_{4,}|--|\+{4,})$")
OPTIONS = re.compile(r"^\[(?!\[)([^\]]*)\]$")
ANCHOR = re.compile(r"^\[\[[^\]]*\]\]$|\[\[[\w-]+(?:,[^\]]*)?\]\]|anchor:[\w-]+\[\]")
DROPPED = re.compile(r"^(?:include|ifdef|ifndef|ifeval|endif|image|video|audio|toc)::.*$|^//(?!/)|^<<<$|^'{3,}$")
TITLE = re.compile(r"^\.(?![\s.])(\S.*)$")
BULLET = re.compile(r"^\s*(\*{1,5}|-)\s+(.*)$")
STEP = re.compile(r"^\s*(\.{1,5}|\d+\.)\s+(.*)$")
TERM = re.compile(r"^(\S.*?)(?:::+|;;)(?:\s+(.*))?$")
NOTE = re.compile(r"^(NOTE|TIP|IMPORTANT|WARNING|CAUTION):\s+")
TABLE = re.compile(r"^[|,!]={3,}$")
INLINE = (
    (re.compile(r"(?:link|xref):([^\[\s]*)\[([^\]]*?)(?:,[^\]]*)?\^?\]"), r"[\2](\1)"),
    (re.compile(r"(?<![(\w])((?:https?|mailto):[^\s\[\]]+)\[([^\]]+?)(?:,[^\]]*)?\^?\]"), r"[\2](\1)"),
    (re.compile(r"((?:https?|mailto):[^\s\[\]]+)\[\]"), r"\1"),
    (re.compile(r"<<[^,>]+,\s*([^>]+)>>"), r"\1"),
    (re.compile(r"<<([^>]+)>>"), r"\1"),
    (re.compile(r"image:[^\s\[]+\[([^\],]*)[^\]]*\]"), r"\1"),
    (re.compile(r"menu:([^\[]+)\[([^\]]*)\]"), r"\1 > \2"),
    (re.compile(r"(?:kbd|btn|footnote|pass|icon):\w*\[([^\]]*)\]"), r"\1"),
    (re.compile(r"\[[.#\w-]+\](?=[#*_])"), ""),
    (re.compile(r"(?<![\w*])\*(?![\s*])([^*\n]+?)(?<!\s)\*(?![\w*])"), r"**\1**"),
    (re.compile(r"(?<!\w)#([^#\n]+)#(?!\w)"), r"\1"),
    (re.compile(r"(?<!\w)\+([^+\n]+)\+(?!\w)"), r"\1"),
    (re.compile(r"\s\+$"), "  "),
)
SIGNS = {
    "nbsp": " ",
    "zwsp": "",
    "plus": "+",
    "asterisk": "*",
    "amp": "&",
    "lt": "<",
    "gt": ">",
    "empty": "",
    "sp": " ",
    "apos": "'",
    "quot": '"',
}


def read_asciidoc(raw: Raw, data: bytes) -> Document:
    url = address_of(raw)
    lines = decode_text(data).replace("\r\n", "\n").split("\n")
    text = "\n".join(_Converter().markdown(lines))
    return document_of(raw, markdown_blocks(text, url or raw.base_url), About(url=url))


class _Converter:
    def __init__(self) -> None:
        self._attributes = dict(SIGNS)
        self._options = ""
        self._title = ""
        self._frames: list[tuple[str, str]] = []
        self._depth = 0
        self._attached = False
        self._term = False

    def markdown(self, lines: list[str]) -> Iterator[str]:
        """Convert AsciiDoc lines to Markdown lines."""
        at = 0
        while at < len(lines):
            line = lines[at].rstrip()
            at += 1
            if COMMENT_FENCE.match(line):
                at = _find_block_end(lines, at, line) + 1
            elif FENCE.match(line):
                end = _find_block_end(lines, at, line)
                pad = " " * self._depth if self._attached else ""
                yield from ("", *self._heading_line(), *(pad + code for code in ("```", *lines[at:end], "```")), "")
                at, self._options, self._attached = end + 1, "", False
            elif TABLE.match(line):
                end = _find_block_end(lines, at, line)
                yield from ("", *self._heading_line(), *self._convert_table(lines[at:end]), "")
                at, self._options = end + 1, ""
            else:
                yield from self._convert_line(line)

    def _convert_line(self, line: str) -> Iterator[str]:
        attribute = ATTRIBUTE.match(line)
        options = OPTIONS.match(line)
        if attribute:
            self._attributes[attribute.group(1)] = attribute.group(2)
        elif DROPPED.match(line) or not ANCHOR.sub("", line).strip():
            yield ""
            self._attached = self._attached and bool(line)
            if not line:
                self._attached = False
        elif options:
            self._options = f"{self._options},{options.group(1)}" if self._options else options.group(1)
        elif line == "+":
            self._attached = True
            yield ""
        elif FRAME.match(line):
            yield from self._convert_frame(line)
        elif TITLE.match(line) and not STEP.match(line):
            self._title = self._convert_inline(line[1:])
        else:
            yield from self._convert_text(ANCHOR.sub("", line))

    def _convert_text(self, line: str) -> Iterator[str]:
        yield from self._heading_line()
        heading, bullet, step, term = HEADING.match(line), BULLET.match(line), STEP.match(line), TERM.match(line)
        label = self._pop_label()
        if heading:
            self._depth = 0
            yield from ("", f"{'#' * len(heading.group(1))} {self._convert_inline(heading.group(2))}", "")
        elif bullet or step:
            found = bullet or step
            assert found is not None  # noqa: S101 -- for the type checker
            mark = found.group(1)
            level = len(mark) if mark[0] in "*." else 1
            self._depth = 3 * level
            yield f"{' ' * (3 * (level - 1))}{'- ' if bullet else '1.'} {self._convert_inline(found.group(2))}"
        elif term and not term.group(1).startswith(("http", "|")):
            self._depth = 2
            yield from ("", self._convert_inline(term.group(1)), "")
            if term.group(2):
                yield f": {self._convert_inline(term.group(2))}"
            self._term = not term.group(2)
        elif self._term and line.strip():
            self._term = False
            yield f": {self._convert_inline(line.strip())}"
        else:
            note = NOTE.match(line)
            text = f"{note.group(1).capitalize()}: {line[note.end() :]}" if note else line
            pad = " " * self._depth if self._attached else ""
            yield f"{pad}{label}{self._convert_inline(text.strip())}"

    def _convert_frame(self, line: str) -> Iterator[str]:
        if self._frames and self._frames[-1][0] == line:
            yield from ("", self._frames.pop()[1], "")
            return
        opening, closing = "", ""
        kind = self._options.split(",")[0].strip().lower()
        if "collapsible" in self._options and self._title:
            opening, closing, self._title = f"<details><summary>{html.escape(self._title)}</summary>", "</details>", ""
        elif kind in ("note", "tip", "important", "warning", "caution"):
            opening, closing = f'<div data-label="{kind.capitalize()}">', "</div>"
        self._options = ""
        self._frames.append((line, closing))
        yield from (*self._heading_line(), "", opening, "")

    def _heading_line(self) -> Iterator[str]:
        if self._title:
            title, self._title = self._title, ""
            yield from ("", f"**{title}**" if title.endswith("?") else f"{title.rstrip(':')}:", "")

    def _pop_label(self) -> str:
        kind, self._options = self._options.split(",")[0].strip(), ""
        return f"{kind.capitalize()}: " if kind in ("NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION") else ""

    def _convert_inline(self, text: str) -> str:
        text = re.sub(
            r"\{([\w-]+)\}", lambda found: self._attributes.get(found.group(1), found.group(1).replace("-", " ")), text
        )
        for pattern, words in INLINE:
            text = pattern.sub(words, text)
        return re.sub(r"\[\]\(([^)]*)\)", r"\1", text)

    def _convert_table(self, lines: list[str]) -> Iterator[str]:
        rows, headed = self._parse_table_rows(lines)
        if not rows:
            return
        width = max(map(len, rows))
        header = rows.pop(0) if headed else [""] * width
        for row in (header, ["---"] * width, *rows):
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in [*row, *[""] * (width - len(row))]) + " |"

    def _parse_table_rows(self, lines: list[str]) -> tuple[list[list[str]], bool]:
        """Return the cells of a table row by row, and whether the first row is a header."""
        filled = [line for line in lines if line.strip()]
        first = next((at for at, line in enumerate(lines) if line.strip()), 0)
        headed = "header" in self._options or (len(lines) > first + 1 and not lines[first + 1].strip())
        per_line = [[self._convert_inline(cell.strip()) for cell in _split_cells(line)] for line in filled]
        cols = re.search(r"cols=\"([^\"]+)\"|cols=(\d+)", self._options)
        width = _count_columns(cols) if cols else max((len(cells) for cells in per_line), default=0)
        cells = [cell for row in per_line for cell in row]
        return [cells[at : at + width] for at in range(0, len(cells), width)] if width else [], headed


def _split_cells(line: str) -> list[str]:
    parts = re.split(r"(?<!\\)(?:\d*[.+*]?\d*[<^>]?[aehlmsv]?)\|", line)
    return [part.replace("\\|", "|") for part in (parts[1:] if not parts[0].strip() else parts)]


def _count_columns(cols: re.Match[str]) -> int:
    said = cols.group(1) or cols.group(2)
    repeated = re.match(r"(\d+)\*", said)
    if repeated:
        return int(repeated.group(1))
    return int(said) if said.isdecimal() and cols.group(2) else said.count(",") + 1


def _find_block_end(lines: list[str], at: int, fence: str) -> int:
    mark = fence[:3] if fence.startswith("`") else fence
    return next((end for end in range(at, len(lines)) if lines[end].rstrip() == mark), len(lines))
