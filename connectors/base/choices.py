"""Match a customer's text to one of the offered choices by number, exact title or similar words.

An ambiguous text matches nothing. Neither does a text with other content, such as the wording of a choice about
another country.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

CLOSE = 0.8
"""Minimum letter similarity for a misspelt choice to match."""
SHARED = 0.6
"""Share of common words that counts as equally close."""
AHEAD = 0.15
"""Minimum lead over the second-best choice."""
TINY_WORD = 3
LONG_WORD = 6
"""Words of at least this many letters may have two typos, such as a swap; shorter words may have one, tiny words none."""
_BESIDE = {
    "please", "pls", "the", "a", "an", "one", "option", "choice", "number", "ok", "okay", "yes", "yeah", "i", "mean",
    "meant", "want", "would", "like", "id", "to", "it", "its", "that", "this", "thanks", "thank", "you", "hi",
    "hello", "my", "about", "of",
}  # fmt: skip
"""Filler words that are ignored when matching."""
_NUMBER = re.compile(r"(?:no|nr|number|option|choice|#)?[\s.#:]*(\d{1,2})[\s.):]*", re.IGNORECASE)


def choice_of(text: str, offered: Sequence[str]) -> int | None:
    """Return the index (from 0) of the choice that the text means, or None if it is unclear or none of them."""
    said = _normalise_text(text)
    if not said or not offered:
        return None
    if number := _NUMBER.fullmatch(said):
        place = int(number.group(1)) - 1
        return place if 0 <= place < len(offered) else None
    titles = [_normalise_text(title) for title in offered]
    if said in titles:
        return titles.index(said) if titles.count(said) == 1 else None
    scores = sorted(((_compute_choice_score(said, title), place) for place, title in enumerate(titles)), reverse=True)
    (best, place), second = scores[0], scores[1][0] if len(scores) > 1 else 0.0
    return (
        place if (best >= 1.0 - 1e-9 and second < best - AHEAD) or (best >= CLOSE and best - second >= AHEAD) else None
    )


def _compute_choice_score(said: str, title: str) -> float:
    if any(not _has_close_match(word, title.split()) for word in said.split() if word not in _BESIDE):
        return 0.0
    return max(_compute_similarity(said, title), _compute_overlap(said, title))


def _has_close_match(word: str, words: Sequence[str]) -> bool:
    """Whether the word matches one of the words, allowing for typos; numbers and tiny words must match exactly."""
    slips = 0 if len(word) <= TINY_WORD or not word.isalpha() else 1 if len(word) < LONG_WORD else 2
    return any(word == other or (slips and _compute_edit_distance(word, other) <= slips) for other in words)


def _compute_similarity(one: str, other: str) -> float:
    """Return 1 minus the edit distance relative to the longer string."""
    longer = max(len(one), len(other))
    return 1 - _compute_edit_distance(one, other) / longer if longer else 0.0


def _compute_overlap(said: str, title: str) -> float:
    """Return the share of common words, scaled so that ``SHARED`` corresponds to ``CLOSE``; 0.0 if the text is much longer."""
    mine, theirs = set(said.split()), set(title.split())
    both = len(mine & theirs)
    if not both or len(mine) > len(theirs) + 3:
        return 0.0
    share = both / len(theirs) if len(mine) >= len(theirs) else both / len(mine) * (0.5 + both / len(theirs) / 2)
    return min(1.0, share / SHARED * CLOSE)


def _compute_edit_distance(one: str, other: str) -> int:
    before = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        now = [i]
        for j, b in enumerate(other, 1):
            now.append(min(before[j] + 1, now[-1] + 1, before[j - 1] + (a != b)))
        before = now
    return before[-1]


def _normalise_text(text: str) -> str:
    """Return the text in lower case, with ASCII digits for digits of any script and single spaces."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in text)
    return " ".join(re.sub(r"[^\w\s]|_", " ", text).split())
