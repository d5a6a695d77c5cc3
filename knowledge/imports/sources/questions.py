"""Find the question-and-answer pairs of a document in any of their usual formats."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from knowledge.imports.chunker import MARKS, is_question
from knowledge.imports.sources.blocks import Block, Code, End, Heading, Items, Rows, Table, Text

QUESTION = re.compile(
    r"^(?:Q|F|P|Question|Frage|Pregunta|Domanda|Pergunta|Vraag|Вопрос|В|问|問|سؤال)\s*\d{0,3}\s*[:：.)][ \t\u00a0]*(?=\S)",  # noqa: RUF001 -- other scripts
    re.IGNORECASE,
)
ANSWER = re.compile(
    r"^(?:A|R|Answer|Ans|Antwort|Respuesta|Réponse|Risposta|Resposta|Antwoord|Ответ|О|答|جواب)\s*\d{0,3}\s*[:：][ \t\u00a0]*",  # noqa: RUF001 -- other scripts
    re.IGNORECASE,
)
LETTER_A = re.compile(r"^A\d{0,3}\.\s+(?=[A-Z])")
NUMBER = re.compile(r"^(?:\(?\d{1,3}(?:\.\d{1,3})*[.):]|#\d{1,3}\b)\s+")
FAQ = re.compile(
    r"\bfaqs?\b|\bq ?& ?a\b|question|fragen|preguntas|domande|perguntas|veelgestelde|вопрос|常见问题|问答|よくある|أسئلة",
    re.IGNORECASE,
)
ASKED = frozenset(("question", "questions", "q", "frage", "pregunta", "domanda", "pergunta", "vraag", "вопрос", "问题"))
ANSWERED = frozenset(
    ("answer", "answers", "a", "antwort", "respuesta", "réponse", "risposta", "resposta", "ответ", "答案")
)
LONGEST_GROUP = 8
"""The maximum number of words of a bold line, not a question, that names a group of questions."""
LONGEST_LINE = 30
BELOW = 0.5
"""The level of a question that is no heading, relative to the heading above it."""


class _Pairs:
    def __init__(self, title: str, *, loose: bool) -> None:
        self._faq = bool(FAQ.search(title))
        self._loose = loose
        self._headings: list[Heading] = []
        self._level: float | None = None
        self.blocks: list[Block] = []

    def take(self, block: Block, following: Block | None) -> None:
        """Add a block; ``following`` helps to decide whether a line is a question with an answer."""
        if isinstance(block, Heading | End):
            self._take_heading(block)
        elif isinstance(block, Text):
            self._take_text(block, following)
        elif isinstance(block, Items) and self._asks_items(block, following):
            self._take_items(block)
        elif isinstance(block, Table) and self._asks_table(block):
            for question, answer in _collect_table_pairs(block):
                self._start_question(question)
                self.blocks.append(Text(answer))
            self._end_question()
        else:
            self.blocks.append(block)

    def _take_heading(self, block: Heading | End) -> None:
        self._level = None
        self._headings = [heading for heading in self._headings if heading.level < block.level]
        if isinstance(block, Heading):
            bare = without_number(QUESTION.sub("", block.text))
            asks = (block.asks and (self._is_in_faq() or is_question(bare))) or bool(QUESTION.match(block.text))
            block = Heading(block.level, bare if asks or is_question(bare) else block.text, asks=asks)
            self._headings.append(block)
        self.blocks.append(block)

    def _take_text(self, block: Text, following: Block | None) -> None:
        question, rest = self._extract_question(block, following)
        if question:
            self._start_question(question)
            if rest:
                self.blocks.append(Text(without_answer_mark(rest)))
        elif self._level is not None and block.bold == block.text and len(block.text.split()) <= LONGEST_GROUP:
            self._end_question()
            self.blocks.append(block)
        else:
            open_question = self._level is not None or (self._headings and is_question(self._headings[-1].text))
            text = without_answer_mark(block.text) if open_question else block.text
            self.blocks.append(replace(block, text=text) if text != block.text else block)

    def _extract_question(self, block: Text, following: Block | None) -> tuple[str, str]:
        """Return the question in a paragraph and the rest of its text, or two empty strings."""
        first, _, rest = block.text.partition("\n")
        marked = QUESTION.match(block.text)
        if marked and (is_question(block.text[marked.end() :]) or _is_answer_block(following) or ANSWER.match(rest)):
            if block.bold and len(block.bold) > marked.end() and len(block.bold) < len(block.text):
                return block.bold[marked.end() :].strip(), block.text[len(block.bold) :].strip()
            return _split_off(block.text[marked.end() :])
        bold = without_number(block.bold)
        if bold and is_question(bold) and len(block.bold) == len(block.text) and _is_content(following):
            return bold, ""
        if bold.endswith(MARKS) and is_question(bold) and len(block.bold) < len(block.text):
            return bold, block.text[len(block.bold) :].strip()
        line = without_number(first)
        if self._asks_plainly(line) and (rest or _is_content(following)):
            return line, rest
        return "", ""

    def _asks_plainly(self, line: str) -> bool:
        short = line.endswith(MARKS) and is_question(line) and len(line.split()) <= LONGEST_LINE
        return short and (self._is_in_faq() or self._loose) and not re.search(r"[.!?]\s", line)

    def _is_in_faq(self) -> bool:
        return self._faq or any(FAQ.search(heading.text) for heading in self._headings)

    def _start_question(self, question: str) -> None:
        above = self._headings[-1] if self._headings else Heading(0, "")
        self._level = above.level if above.asks or is_question(above.text) else above.level + BELOW
        self.blocks.append(Heading(self._level, without_number(question), asks=True))

    def _end_question(self) -> None:
        if self._level is not None:
            self.blocks.append(End(self._level))
            self._level = None

    def _asks_items(self, block: Items, following: Block | None) -> bool:
        asked = [_item_pair(item) for item in block.items]
        answered = sum(bool(question and rest) for question, rest in asked)
        if len(block.items) == 1 and asked[0][0] and not asked[0][1]:
            return _is_content(following) and (self._is_in_faq() or block.first is not None)
        return answered > len(block.items) / 2

    def _take_items(self, block: Items) -> None:
        for item in block.items:
            question, rest = _item_pair(item)
            if question:
                self._start_question(question)
                self.blocks += rest
            else:
                self.blocks += item
        if any(rest for _, rest in map(_item_pair, block.items)):
            self._end_question()

    def _asks_table(self, block: Table) -> bool:
        names = [name.lower().strip() for name in block.header]
        return any(name in ASKED for name in names) and any(name in ANSWERED for name in names)


def with_questions(blocks: Iterable[Block], title: str, *, loose: bool = False) -> list[Block]:
    """Turn every question into a heading; with ``loose``, a line that asks is enough."""
    pairs = _Pairs(title, loose=loose)
    flat = [part for block in blocks for part in _split_paragraph(block)]
    for at, block in enumerate(flat):
        pairs.take(block, flat[at + 1] if at + 1 < len(flat) else None)
    return pairs.blocks


def without_answer_mark(text: str) -> str:
    """Remove the "A:" before an answer."""
    return LETTER_A.sub("", ANSWER.sub("", text))


def without_number(text: str) -> str:
    """Remove the number before a question."""
    return NUMBER.sub("", text).strip()


def _split_paragraph(block: Block) -> Iterator[Block]:
    """Split a paragraph before each line that begins with "Q:" or "A:"."""
    if not isinstance(block, Text) or "\n" not in block.text:
        yield block
        return
    parts: list[str] = []
    for line in block.text.split("\n"):
        if not parts or QUESTION.match(line) or ANSWER.match(line):
            parts.append(line)
        else:
            parts[-1] += "\n" + line
    if len(parts) == 1:
        yield block
        return
    for part in parts:
        yield Text(part, part if part in block.bold else block.bold if part.startswith(block.bold) else "")


def _split_off(text: str) -> tuple[str, str]:
    """Split a question from an answer in the same paragraph."""
    inline = re.search(r"(?:^|(?<=[?？؟\s]))\s*(?=A\s*:\s|Answer\s*:|Antwort\s*:|答[:：])", text)  # noqa: RUF001
    if inline and inline.start() > 0:
        return text[: inline.start()].strip(), text[inline.end() :].strip()
    found = re.match(r"([^?？؟\n]*[?？؟])\s*(.*)$|([^\n]*)\n(.*)$", text, re.DOTALL)  # noqa: RUF001
    if found is None:
        return text.strip(), ""
    question, rest = found.group(1) or found.group(3), found.group(2) or found.group(4) or ""
    return question.strip(), rest.strip()


def _is_answer_block(block: Block | None) -> bool:
    return isinstance(block, Text) and ANSWER.match(block.text) is not None


def _is_content(block: Block | None) -> bool:
    if isinstance(block, Text):
        asks = block.text.endswith(MARKS) and "\n" not in block.text and is_question(block.bold or block.text)
        return not asks and QUESTION.match(block.text) is None
    return isinstance(block, Items | Table | Code | Rows)


def _item_pair(item: tuple[Block, ...]) -> tuple[str, tuple[Block, ...]]:
    """Return the question of a list item and the blocks that answer it."""
    first = item[0]
    if not isinstance(first, Text):
        return "", ()
    text = QUESTION.sub("", first.text)
    bold = first.bold if first.bold.endswith(MARKS) and len(first.bold) < len(first.text) else ""
    line, _, rest = text.partition("\n")
    if bold and is_question(bold):
        line, rest = bold, first.text[len(bold) :].strip()
    if not line.endswith(MARKS) or not is_question(line):
        return "", ()
    kept: tuple[Block, ...] = (Text(without_answer_mark(rest)),) if rest else ()
    following = item[1:]
    if not kept and following and isinstance(following[0], Text):
        following = (Text(without_answer_mark(following[0].text)), *following[1:])
    return QUESTION.sub("", line).strip(), (*kept, *following)


def _collect_table_pairs(table: Table) -> Iterator[tuple[str, str]]:
    names = [name.lower().strip() for name in table.header]
    asked = next(at for at, name in enumerate(names) if name in ASKED)
    answered = next(at for at, name in enumerate(names) if name in ANSWERED)
    for row in table.rows:
        if len(row) > max(asked, answered) and row[asked] and row[answered]:
            yield row[asked], row[answered]
