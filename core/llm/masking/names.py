# ruff: noqa: RUF001 -- people type these signs
"""Finds names of people, only in contexts that are unambiguous."""

from __future__ import annotations

import re

_WORD = r"[^\W\d_a-z][^\W\d_]*(?:['’-](?!s\b)[^\W\d_]+)*"
_INITIAL = r"[^\W\d_a-z]\."
_ONE_OR_MORE = rf"{_WORD}(?:[ ](?:{_INITIAL}|(?:van|von|de|der|da|bin|al|el)\b|{_WORD})){{0,3}}"
_TWO_OR_MORE = rf"{_WORD}(?:[ ]{_INITIAL})?(?:[ ](?:van|von|de|der|da|bin|al|el))?(?:[ ]{_WORD}){{1,2}}"
_SAID = re.compile(
    rf"\b(?i:my (?:full )?name is|my name's|name's|call me|i am called|i'm called|mein name ist|je m'appelle|me llamo)"
    rf"[ ]+(?P<said>{_ONE_OR_MORE})"
    rf"|\b(?i:i'm|i am|i’m)[ ](?P<am>{_TWO_OR_MORE})(?=\W|$)"
    rf"|\b(?i:this is|here is|it's)[ ](?P<this>{_TWO_OR_MORE})(?=[ ](?:speaking|here|calling|writing|from)\b)"
    rf"|(?:\A|\n)\s*(?i:hi|hello|hey|good (?:morning|afternoon|evening))[,!.]?[ ]+(?i:this is|it's)[ ](?P<hello>{_TWO_OR_MORE})"
    rf"|\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|MR|MRS|MS|DR|mr|mrs|ms|Herr|Frau|Señor|Señora|Monsieur|Madame)\b\.?[ ]+(?P<titled>{_ONE_OR_MORE})"
    rf"|(?i:regards|sincerely|best wishes|cheers|yours|thanks|thank you)[,.!]?[ ]*\n\s*[-–—]*[ ]*(?P<signed>{_ONE_OR_MORE})[ ]*(?=\n|\Z)"
)
_NEVER = frozenset(
    [
        "I",
        "Im",
        "The",
        "A",
        "An",
        "And",
        "But",
        "Not",
        "Now",
        "Here",
        "There",
        "Just",
        "Also",
        "Very",
        "So",
        "Sorry",
        "Happy",
        "Looking",
        "Trying",
        "Having",
        "Using",
        "Going",
        "Still",
        "Sure",
    ]
)
"""Capitalised words in shouted or careless English that are not names."""


def list_name_spans(text: str) -> list[tuple[int, int]]:
    """Return the spans of names: (start, end)."""
    found = []
    for match in _SAID.finditer(text):
        group = match.lastgroup or ""
        if match[group].split()[0] not in _NEVER and not match[group].isupper():
            found.append(match.span(group))
    return found
