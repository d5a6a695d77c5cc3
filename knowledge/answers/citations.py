"""Citations: "[2]" in a model's text is its second piece of evidence, "[1]" in a reply the answer's first source."""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.types import Entry, Source

_MARK = re.compile(r"[ \t]*\[(\d{1,2})\]")
_OPEN = re.compile(r"[ \t]*(?:\[\d{0,2})?$")
"""Text that may become a citation mark once more characters arrive."""


class Citations:
    """The sources of one answer, numbered in order of citation."""

    def __init__(self) -> None:
        self.sources: list[Source] = []

    def number(self, source: Source) -> int:
        """Return the source's number, counted from 1; a new source is added last."""
        if source not in self.sources:
            self.sources.append(source)
        return self.sources.index(source) + 1

    def rewriter(self, evidence: Sequence[Entry]) -> Rewriter:
        """Return a rewriter for one text that cites this evidence."""
        return Rewriter(self, evidence)

    def rewritten(self, text: str, evidence: Sequence[Entry]) -> str:
        """Renumber the marks of a whole text for the customer; drop marks of evidence without a source."""
        rewriter = self.rewriter(evidence)
        return rewriter.feed(text) + rewriter.flush()


class Rewriter:
    """Rewrites the citation marks of a streamed text."""

    def __init__(self, citations: Citations, evidence: Sequence[Entry]) -> None:
        self._citations, self._evidence = citations, evidence
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return the text that can be released now; an incomplete mark is held back."""
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
    """Remove the citation marks from a sent text."""
    return _MARK.sub("", text)


def list_cited_entries(text: str, evidence: Sequence[Entry]) -> list[Entry]:
    """Return the evidence that a model's text cites, in order of citation, without duplicates."""
    numbers = dict.fromkeys(int(found[1]) for found in _MARK.finditer(text))
    return [evidence[n - 1] for n in numbers if 1 <= n <= len(evidence)]
