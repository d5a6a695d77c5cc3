# ruff: noqa: RUF001 -- people type these signs
"""Detection of statements about a moment (dates, days, "currently"), and removal of salutations."""

from __future__ import annotations

import re

_I = re.IGNORECASE
_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
MOMENT = re.compile(
    rf"\b(?:today|tonight|tomorrow|yesterday|this (?:morning|afternoon|evening|week|weekend|time|flight|order|case|instance|issue|matter|tweet|thread)|next week|last (?:week|night|month|year|time)|"
    rf"right now|at the moment|at this (?:point|moment)|just now|earlier|momentarily|soon|so far|for now|delay(?:ed|s)?|in the meantime|"
    rf"(?:in|this|last|next|until|till|by|of|since|on|early|mid|late) {_MONTH}|(?:on|this|last|next|until|till|by|since) (?:mon|tues|wednes|thurs|fri|satur|sun)day|"
    rf"\d{{1,2}}(?:st|nd|rd|th)|\d{{1,2}} {_MONTH}|{_MONTH}\.? \d{{1,2}}|\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{2,4}}|(?:19|20)\d\d|\d{{4}}-\d\d-\d\d)\b",
    _I,
)
_SALUTATION = re.compile(
    r"^\W*(?:(?:hi|hello|hey|hiya|yes hi|thanks|thank you|ok|okay|so|please|question|quick question|great|perfect)(?: there| all| team| guys)?(?:[,!.:–-]+\s*|\s+(?=hi\b|hello\b))|[-–,.:]+\s*)+",
    _I,
)


def without_salutation(sentence: str) -> str:
    """Remove the "Hi there," before a sentence."""
    rest = _SALUTATION.sub("", sentence)
    return rest[:1].upper() + rest[1:]
