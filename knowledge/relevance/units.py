"""Splits an answer into units: a short text whole, or whole blocks of a longer one; lists stay together."""

from __future__ import annotations

import re

from knowledge.relevance.reader import describe_entry
from knowledge.types import ENGLISH, Entry

LONGEST_UNIT = 130
"""Maximum words of a text that is sent whole."""
VECTORS_PER_ENTRY = 48
"""Maximum number of indexed phrasings and units per entry."""
BLANK_LINE = re.compile(r"\n\s*\n")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_a-z])")
LIST_ITEM = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s")


def blocks_of(text: str) -> list[str]:
    """Return the blocks of a text in order: paragraphs, and lists with their introductory line."""
    blocks: list[str] = []
    for block in (part.strip() for part in BLANK_LINE.split(text)):
        if not block:
            continue
        if blocks and LIST_ITEM.match(block) and (blocks[-1].endswith(":") or LIST_ITEM.match(_last_line(blocks[-1]))):
            blocks[-1] = f"{blocks[-1]}\n{block}"
        else:
            blocks.append(block)
    return blocks


def units_of(text: str, longest: int = LONGEST_UNIT) -> list[str]:
    """Return a short text whole, else units of neighbouring blocks, about ``longest`` words each."""
    if count_words(text) <= longest:
        return [text.strip()]
    return _merge_parts(
        [part for block in blocks_of(text) for part in _lines_together(block, longest)], "\n\n", longest
    )


def _lines_together(block: str, longest: int) -> list[str]:
    """Split a long block between lines that stand alone, such as table rows, and a long line between sentences.

    A list stays whole.
    """
    lines = block.split("\n")
    if count_words(block) <= longest or any(map(LIST_ITEM.match, lines)):
        return [block]
    sentences = [part for line in lines for part in _merge_parts(SENTENCE_END.split(line), " ", longest)]
    return _merge_parts(sentences, "\n", longest)


def _merge_parts(parts: list[str], between: str, longest: int) -> list[str]:
    """Join neighbouring parts up to ``longest`` words."""
    joined: list[str] = []
    for part in parts:
        if joined and count_words(joined[-1]) + count_words(part) <= longest:
            joined[-1] = f"{joined[-1]}{between}{part}"
        else:
            joined.append(part)
    return joined


def spoken_parts(entry: Entry) -> list[str]:
    """Return the texts that are embedded for an entry: its questions, and each unit of its answer under its title.

    The first question of a non-English entry is not embedded alone, since that worsens the multilingual model's results.
    """
    if entry.subject:
        return [text for question in entry.questions for text in (f"{question} {entry.subject}", question)]
    if entry.context:
        return list(entry.questions)
    heads = _list_entry_headings(entry)
    asked = entry.questions[0] if entry.questions else ""
    units = [describe_entry(entry.title or "", asked, unit) for unit in units_of(entry.answer)]
    return [*heads[:1], *units, *heads[1:]]


def indexed_parts(entry: Entry) -> list[str]:
    """Return the spoken parts that have a vector."""
    return spoken_parts(entry)[:VECTORS_PER_ENTRY]


def units_spoken(entry: Entry) -> range:
    """Return the positions of the answer's units among the spoken parts."""
    if entry.subject or entry.context:
        return range(0)
    first = len(_list_entry_headings(entry)[:1])
    return range(first, first + len(units_of(entry.answer)))


def _list_entry_headings(entry: Entry) -> list[str]:
    heads = list(entry.questions) or list(filter(None, [entry.title]))
    return heads if entry.language == ENGLISH else heads[1:]


def count_words(text: str) -> int:
    return len(text.split())


def _last_line(text: str) -> str:
    return text.rpartition("\n")[2]
