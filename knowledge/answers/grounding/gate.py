"""Releases streamed words that the evidence contains; a sentence with any other word waits for its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from knowledge.text.facts import (
    ADDRESS,
    NEGATION,
    NUMBER,
    extract_facts,
    extract_numbers,
    is_content,
    normalise_address,
    split_tokens,
    stem_token,
    strip_markup,
)
from knowledge.text.sentences import WORD, Splitter

Judge = Callable[[str], bool]
"""Returns whether a whole sentence is supported."""


class DraftGate:
    """Gate for one answer; never takes back what it has released.

    Words without content wait for the next word that the evidence contains, so that they state nothing alone. A word
    found only in the question also waits, since a customer may ask for it to be repeated.
    """

    def __init__(self, evidence: Sequence[str], judge: Judge) -> None:
        known = extract_facts("\n".join(evidence))
        self._stems, self._numbers, self._addresses = known.words, known.numbers, known.addresses
        self._negated = known.negated
        self._judge = judge
        self._splitter = Splitter()
        self._word = ""
        self._shown = ""
        self._waiting = ""
        self._blocked = False

    def feed(self, delta: str) -> str:
        """Return the text that may be shown now."""
        self._word += delta
        found = list(WORD.finditer(self._word))
        if found and found[-1].end() == len(self._word):
            found.pop()  # the word may be incomplete
        cut = found[-1].end() if found else 0
        pieces, self._word = [m[0] for m in found], self._word[cut:]
        return "".join(self._take_piece(piece) for piece in pieces)

    def flush(self) -> str:
        """Return the rest at the end of the answer."""
        rest = self._take_piece(self._word) if self._word.strip() else ""
        self._word = ""
        return rest + self._end_sentence()

    def _take_piece(self, piece: str) -> str:
        out = self._end_sentence() if self._splitter.begins(piece) else ""
        self._waiting += piece
        self._blocked = self._blocked or not self._is_known(piece)
        if self._blocked or not _has_content(piece):
            return out
        released, self._waiting = self._waiting, ""
        self._shown += released
        return out + released

    def _end_sentence(self) -> str:
        """Return the held-back rest of the sentence if the whole sentence is supported."""
        sentence, waiting = self._shown + self._waiting, self._waiting
        self._shown = self._waiting = ""
        self._blocked = False
        return waiting if waiting and self._judge(sentence) else ""

    def _is_known(self, piece: str) -> bool:
        text = strip_markup(piece)
        if addresses := ADDRESS.findall(text):
            return all(normalise_address(found) in self._addresses for found in addresses)
        if NUMBER.search(text) and not extract_numbers(text) <= self._numbers:
            return False
        if NEGATION.search(text) and not self._negated:
            return False
        return all(stem_token(word) in self._stems for word in split_tokens(text) if is_content(word))


def _has_content(piece: str) -> bool:
    """Whether the piece carries meaning by itself."""
    text = strip_markup(piece)
    return bool(NUMBER.search(text) or ADDRESS.search(text)) or any(is_content(word) for word in split_tokens(text))
