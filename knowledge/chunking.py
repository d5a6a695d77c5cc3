"""Cuts documents into entries: a question as heading with a short text becomes an faq, everything else passages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from knowledge.content import Content, storable

LONGEST_HEADING = 300
FEWEST_WORDS = 4
LONGEST_ANSWER = 1500
"""A text under a question that is longer than this is no answer to send whole."""
PASSAGE_WORDS = 170
"""About what the embedding model reads (256 tokens)."""
HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$")
QUESTION_MARKS = ("?", "؟", "？")  # noqa: RUF001 -- the mark in other scripts
FENCE = re.compile(r"^\s*(```|~~~)")
ASKING = re.compile(
    r"^(who|what|when|where|which|whose|why|how|can|could|do|does|did|is|are|was|will|would|should|may|must|have|has"
    r"|am|i)\b.*\S\s+\S",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"[^.!?。！？۔؟\n]+[.!?。！？۔؟]*\s*|\n+")  # noqa: RUF001 -- these are the marks of other scripts
MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*_`>#|]+")

Split = Callable[[str], list[str]]


@dataclass(frozen=True)
class Piece:
    """An entry to be, with the key that finds it again when its document is imported again."""

    key: str
    content: Content


@dataclass(frozen=True)
class Section:
    """A heading with those above it, and the text under it."""

    headings: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Article:
    """A document's text as Markdown, with what is known about it."""

    title: str
    markdown: str
    language: str = "en"
    subject: str | None = None


def pieces_of(article: Article) -> list[Piece]:
    """What is to be learnt from an article."""
    pieces = [piece for section in sections_of(article.markdown) for piece in _pieces(article, section)]
    return numbered(pieces)


def numbered(pieces: list[Piece]) -> list[Piece]:
    """The same pieces with keys that are all different."""
    seen: Counter[str] = Counter()
    unique: list[Piece] = []
    for piece in pieces:
        key = storable(piece.key)[:480]
        seen[key] += 1
        unique.append(replace(piece, key=f"{key} #{seen[key]}" if seen[key] > 1 else key))
    return unique


def sections_of(markdown: str) -> Iterator[Section]:
    """The sections that have a text of their own, in order; a heading inside a code block is none."""
    headings: list[tuple[int, str]] = []
    lines: list[str] = []
    fenced = False
    for line in markdown.splitlines():
        fenced ^= bool(FENCE.match(line))
        heading = None if fenced else HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        yield from _section(headings, lines)
        level = len(heading.group(1))
        headings = [*(h for h in headings if h[0] < level), (level, plain(heading.group(2)))]
        lines = []
    yield from _section(headings, lines)


def is_question(heading: str) -> bool:
    """Whether a heading asks something."""
    text = heading.strip()
    asks = text.endswith(QUESTION_MARKS) or bool(ASKING.match(text) and len(text.split()) >= FEWEST_WORDS)
    return asks and len(text) <= LONGEST_HEADING


def plain(markdown: str) -> str:
    """The words of a Markdown text."""
    return re.sub(r"[ \t]+", " ", MARKUP.sub(lambda found: found.group(1) or "", markdown)).strip()


def _section(headings: list[tuple[int, str]], lines: list[str]) -> Iterator[Section]:
    text = "\n".join(lines).strip()
    if plain(text):
        yield Section(tuple(h[1] for h in headings), text)


def _pieces(article: Article, section: Section) -> Iterator[Piece]:
    heading = section.headings[-1] if section.headings else article.title
    key = " > ".join(section.headings) or article.title
    content = Content("passage", section.text, language=article.language, subject=article.subject)
    if is_question(heading) and len(section.text) <= LONGEST_ANSWER:
        yield Piece(key, replace(content, kind="faq", questions=(heading,), title=article.title))
        return
    title = " - ".join(dict.fromkeys((article.title, heading)))[:500]
    for text in split_text(section.text):
        yield Piece(key, replace(content, answer=text, title=title))


def split_text(text: str) -> list[str]:
    """A text in parts that the embedding model can read whole, cut between paragraphs or sentences."""
    if len(text.split()) <= PASSAGE_WORDS:
        return [text]
    # Takes seconds to import, which only the import of a long document has to pay.
    from llama_index.core.node_parser import SentenceSplitter  # noqa: PLC0415

    # Its own tokenizer and sentence finder would fetch data that is not needed for this.
    splitter = SentenceSplitter(
        chunk_size=PASSAGE_WORDS,
        chunk_overlap=0,
        paragraph_separator="\n\n",
        tokenizer=str.split,
        chunking_tokenizer_fn=SENTENCE.findall,
    )
    return [part for part in splitter.split_text(text) if part.strip()]
