# ruff: noqa: RUF001 -- other scripts use other sentence marks
"""Splits an answer into words and sentences, with the same result for whole and streamed text."""

from __future__ import annotations

import re

WORD = re.compile(r"\s*\S+")
MARK = re.compile(r"[ \t]*\[\d{1,2}\]")
_ENDS = re.compile(r"[.!?؟。！？۔…]+(?:\[\d{1,2}\])*[\"'»”’)\]*_`]*(?:\[\d{1,2}\])*$")
_ABBREVIATED = re.compile(
    r"(?<!\w)(?:e\.g|i\.e|etc|approx|no|nos|nr|vs|mr|mrs|ms|dr|prof|st|inc|ltd|co|min|max|tel|ca|incl|excl|art|fig|p|pp|z\.b|bzw|usw|u\.s|[a-z])\.[)\"']*$",
    re.IGNORECASE,
)
_ONLY_MARKS = re.compile(r"(?:\[\d{1,2}\][.,;]?)+")
_BULLET = re.compile(r"[-*•–]+|\d{1,2}[.)]|#+")


class Splitter:
    """Detects, word by word, where sentences begin."""

    def __init__(self) -> None:
        self._before = ""
        self._only_bullet = True

    def begins(self, piece: str) -> bool:
        """Whether this word, given with its leading white space, begins another sentence."""
        word = piece.strip()
        new_line = "\n" in piece[: len(piece) - len(piece.lstrip())]
        ended = bool(_ENDS.search(self._before)) and not _ABBREVIATED.search(self._before) and not self._only_bullet
        follows_on = word[:1].islower() or bool(_ONLY_MARKS.fullmatch(word))
        begins = bool(self._before) and (new_line or (ended and not follows_on))
        self._only_bullet = (begins or not self._before or self._only_bullet) and bool(_BULLET.fullmatch(word))
        if not (_ONLY_MARKS.fullmatch(word) and _ENDS.search(self._before)):
            self._before = word
        return begins


def split_sentences(text: str) -> list[str]:
    """Return the sentences with leading white space; joined, they are the text without trailing white space."""
    splitter = Splitter()
    found: list[str] = []
    for piece in WORD.findall(text):
        if splitter.begins(piece) or not found:
            found.append(piece)
        else:
            found[-1] += piece
    return found
