"""Citations: a model's "[2]" names the second piece of its evidence, a customer's "[1]" the first source of the answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.types import Entry, Source

_MARK = re.compile(r"[ \t]*\[(\d{1,2})\]")
_OPEN = re.compile(r"[ \t]*(?:\[\d{0,2})?$")
"""What may become a mark with the next characters."""


class Citations:
    """The sources of one answer, numbered in the order in which they are cited."""

    def __init__(self) -> None:
        self.sources: list[Source] = []

    def number(self, source: Source) -> int:
        """The source's number, counted from 1; a new one comes last."""
        if source not in self.sources:
            self.sources.append(source)
        return self.sources.index(source) + 1

    def rewriter(self, evidence: Sequence[Entry]) -> Rewriter:
        """For one text that cites this evidence."""
        return Rewriter(self, evidence)

    def rewritten(self, text: str, evidence: Sequence[Entry]) -> str:
        """A whole text with the customer's numbers; marks of evidence without a source are taken out."""
        rewriter = self.rewriter(evidence)
        return rewriter.feed(text) + rewriter.flush()


class Rewriter:
    """Rewrites the marks of a text that comes in pieces."""

    def __init__(self, citations: Citations, evidence: Sequence[Entry]) -> None:
        self._citations, self._evidence = citations, evidence
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be given out now; a mark that is not whole yet waits."""
        text = self._held + piece
        held = _OPEN.search(text)
        cut = held.start() if held else len(text)
        self._held = text[cut:]
        return self._replace_marks(text[:cut])

    def flush(self) -> str:
        held, self._held = self._held, ""
        return held

    def _replace_marks(self, text: str) -> str:
        return _MARK.sub(self._renumber_mark, text)

    def _renumber_mark(self, found: re.Match[str]) -> str:
        number = int(found[1])
        if not 1 <= number <= len(self._evidence):
            return ""
        source = self._evidence[number - 1].source
        return f" [{self._citations.number(source)}]" if source else ""


def without_marks(text: str) -> str:
    """A text that was sent, as it reads without its numbers."""
    return _MARK.sub("", text)


def list_cited_entries(text: str, evidence: Sequence[Entry]) -> list[Entry]:
    """The evidence that a model's text names, in that order, each once."""
    numbers = dict.fromkeys(int(found[1]) for found in _MARK.finditer(text))
    return [evidence[n - 1] for n in numbers if 1 <= n <= len(evidence)]
