"""Split long text into messages at paragraphs, then lines, sentences or words, and only as a last resort inside a word."""

from __future__ import annotations

import re

_BORDERS = (
    re.compile(r"\n\s*\n\s*"),
    re.compile(r"\n\s*"),
    re.compile(r"(?<=[.!?…。！？؟۔])[\"'”’)\]]*\s+"),  # noqa: RUF001 - sentence endings in several scripts
    re.compile(r"\s+"),
)


def split_message(text: str, longest: int) -> list[str]:
    """Split a text into pieces of at most ``longest`` characters; only white space at the boundaries is lost.

    Raises:
        ValueError: ``longest`` is not positive.
    """
    if longest < 1:
        raise ValueError("a message has at least one character")
    pieces, rest = [], text.strip()
    while len(rest) > longest:
        cut = _find_split_point(rest, longest)
        pieces.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*pieces, rest] if rest else pieces


def _find_split_point(text: str, longest: int) -> int:
    """Return the end of the first piece: the last boundary of the best kind that does not leave the piece mostly empty."""
    for border in _BORDERS:
        ends = [found.end() for found in border.finditer(text, 0, longest + 1) if text[: found.end()].rstrip()]
        good = [end for end in ends if len(text[:end].rstrip()) <= longest]
        if good and (good[-1] >= longest // 3 or border is _BORDERS[-1]):
            return good[-1]
    return longest
