"""Which of the offered choices a text means: its number, its words, or words close to them; never a guess between two.

A text that says something besides, such as the question of a choice about another country, is no choice.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

CLOSE = 0.8
"""Similarity of letters from which a misspelt choice is taken ..."""
SHARED = 0.6
"""... or share of the choice's words that are in the text."""
AHEAD = 0.15
"""By so much it has to be better than the next."""
TINY_WORD = 3
LONG_WORD = 6
"""Letters from which a word may have two wrong ones, as where two are swapped; shorter ones may have one, tiny ones none."""
_BESIDE = {
    "please", "pls", "the", "a", "an", "one", "option", "choice", "number", "ok", "okay", "yes", "yeah", "i", "mean",
    "meant", "want", "would", "like", "id", "to", "it", "its", "that", "this", "thanks", "thank", "you", "hi",
    "hello", "my", "about", "of",
}  # fmt: skip
"""Words that change nothing about a choice."""
_NUMBER = re.compile(r"(?:no|nr|number|option|choice|#)?[\s.#:]*(\d{1,2})[\s.):]*", re.IGNORECASE)


def choice_of(text: str, offered: Sequence[str]) -> int | None:
    """The place (from 0) of the choice that was meant; None where it is none of them, or not clear which."""
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
    """Is it one of them, but for a slip of the finger? A number or a tiny word has to be the same."""
    slips = 0 if len(word) <= TINY_WORD or not word.isalpha() else 1 if len(word) < LONG_WORD else 2
    return any(word == other or (slips and _compute_edit_distance(word, other) <= slips) for other in words)


def _compute_similarity(one: str, other: str) -> float:
    """1 minus the edit distance, as a share of the longer one."""
    longer = max(len(one), len(other))
    return 1 - _compute_edit_distance(one, other) / longer if longer else 0.0


def _compute_overlap(said: str, title: str) -> float:
    """How much of the choice is in a short answer that says little else; scaled so that SHARED counts as close."""
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
    """Small letters and digits (of any script, as ASCII digits) with single spaces."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in text)
    return " ".join(re.sub(r"[^\w\s]|_", " ", text).split())
