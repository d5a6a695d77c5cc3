"""Corrects typos, preferring words of the documents to frequent words."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from functools import cached_property

from spellchecker import SpellChecker

from core.language import language_of
from knowledge.types import ENGLISH

Known = Callable[[str, Iterable[str]], set[str]]
"""Returns the words that occur in a tenant's documents in any form."""
Languages = Callable[[str], Collection[str]]
"""Returns the languages of a tenant's documents."""
WORD = re.compile(r"(?<![\w@./'-])[^\W\d_]+(?:['\u2019][^\W\d_]+)?(?![\w@/'-]|\.\w)")
SHORTEST, SHORTEST_REPLACED = 3, 5
"""Minimum letters of a corrected word, and of one with a replaced letter."""
FREQUENT = 5000
"""Minimum dictionary count for a correction to a word that the documents lack."""
STRANGE_AT_MOST = 0.4
"""Maximum share of uncorrectable words; above it, the text is hardly English."""
LISTED = 100
"""Minimum dictionary count for a word to count as correct; rarer ones are often typos themselves."""
SHORT_FORMS = {
    "u": "you", "ur": "your", "r": "are", "hw": "how", "y": "why", "pls": "please", "plz": "please", "thx": "thanks", "wat": "what",
    "wht": "what", "wats": "what's", "whats": "what's", "da": "the", "n": "and", "smth": "something", "tho": "though",
    "cuz": "because", "coz": "because", "bcz": "because", "msg": "message", "wanna": "want to", "gonna": "going to",
    "gotta": "have to", "pw": "password", "pwd": "password", "dont": "don't", "doesnt": "doesn't", "didnt": "didn't",
    "cant": "can't", "wont": "won't", "isnt": "isn't", "im": "I'm", "ive": "I've", "evn": "even", "abt": "about",
}  # fmt: skip
"""Chat abbreviations and their long forms."""


class Speller:
    """Corrects English texts; words of the documents and of the dictionary stay unchanged."""

    def __init__(self, known: Known, languages: Languages) -> None:
        self._known = known
        self._languages = languages

    def mend(self, tenant_id: str, text: str) -> str:
        """Return the text with typos and short forms corrected; unchanged if it is hardly English."""
        written = WORD.findall(text)
        words = {word for i, word in enumerate(written) if i == 0 or word.islower() or text.isupper()}
        lower = {word.lower() for word in words}
        strange = {word for word in lower if word not in SHORT_FORMS and not self._is_in_dictionary(word)}
        if not (strange or lower & SHORT_FORMS.keys()):
            return text
        whole = " ".join(word for word in written if word.lower() not in SHORT_FORMS)
        if language_of(whole) != ENGLISH or ENGLISH not in self._languages(tenant_id):
            return text
        strange -= self._known(tenant_id, strange)
        mended = {word: self._correct_spelling(tenant_id, word) for word in strange}
        if sum(word == meant for word, meant in mended.items()) > STRANGE_AT_MOST * len(written):
            return text
        mended |= {word: SHORT_FORMS[word] for word in lower & SHORT_FORMS.keys()}
        return WORD.sub(lambda found: mended.get(found[0].lower(), found[0]) if found[0] in words else found[0], text)

    def _is_in_dictionary(self, word: str) -> bool:
        return len(word) < SHORTEST or not word.isalpha() or self._get_frequency(word) >= LISTED

    def _correct_spelling(self, tenant_id: str, word: str) -> str:
        near = {other for other in self._dictionary.edit_distance_1(word) if _may_be_meant(word, other)}
        slips = {other for other in near if other.isalpha() and _is_likely_typo(word, other)}
        worded = self._known(tenant_id, near & self._counts.keys()) or self._known(tenant_id, slips)
        frequent = {other for other in near if self._get_frequency(other) >= FREQUENT and _is_likely_typo(word, other)}
        if len(word) == SHORTEST:
            frequent = {other for other in frequent if _is_transposition(word, other)}
        likeliest = max(
            worded | frequent,
            key=lambda other: (_is_likely_typo(word, other), other in worded, self._get_frequency(other)),
            default=None,
        )
        return likeliest or self._split_compound(tenant_id, word)

    def _split_compound(self, tenant_id: str, word: str) -> str:
        """Split a compound ("giftcard") if the documents have both words."""
        for i in range(SHORTEST, len(word) - SHORTEST + 1):
            parts = {word[:i], word[i:]}
            if parts <= self._counts.keys() and parts <= self._known(tenant_id, parts):
                return f"{word[:i]} {word[i:]}"
        return word

    def _get_frequency(self, word: str) -> int:
        return self._counts.get(word, 0)

    @cached_property
    def _dictionary(self) -> SpellChecker:
        return SpellChecker(distance=1)

    @property
    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = self._dictionary.word_frequency.dictionary
        return counts


def _may_be_meant(word: str, meant: str) -> bool:
    replaced = len(word) == len(meant) and not _is_transposition(word, meant)
    long_enough = len(meant) >= SHORTEST and (not replaced or len(word) >= SHORTEST_REPLACED)
    return long_enough and meant.isascii() == word.isascii()


def _is_likely_typo(word: str, meant: str) -> bool:
    """Whether a letter is missing or two are swapped, which is more common than an extra or a wrong letter."""
    return len(word) < len(meant) or _is_transposition(word, meant)


def _is_transposition(word: str, meant: str) -> bool:
    return len(word) == len(meant) and sorted(word) == sorted(meant)
