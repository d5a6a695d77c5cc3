"""Word-by-word differences between two texts."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

WORDS = re.compile(r"\s+|\w+|[^\w\s]")


class TextDifference(NamedTuple):
    """A piece of text that is in both versions, only in the earlier, or only in the later one."""

    change: Literal["same", "removed", "added"]
    text: str


def diff_texts(before: str, after: str) -> list[TextDifference]:
    """Return the pieces of both texts in reading order."""
    old, new = WORDS.findall(before), WORDS.findall(after)
    pieces: list[TextDifference] = []
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(TextDifference("same", "".join(old[i:j])))
            continue
        if i < j:
            pieces.append(TextDifference("removed", "".join(old[i:j])))
        if k < m:
            pieces.append(TextDifference("added", "".join(new[k:m])))
    return pieces
