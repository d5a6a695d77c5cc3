"""Finds phone numbers in common notations, and tells them from prices, dates and order numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

_NUMBER = re.compile(r"(?<![\w.,:/#€$£-])(?:\+ ?|\()?\(?\d(?:[ .()/-]{0,3}\d){5,17}(?![\d]|[.,:/-]\d|[^\W\d_])")
_DATE = re.compile(
    r"(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}.*|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d\d.*|(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d"
)
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:[ .]000)+|[1-9]\d{0,2}(?:\.\d{3}){2,}")
_OTHER = re.compile(
    r"(?:\b(?:order|orders|parcel|tracking|invoice|reference|ref|booking|ticket|case|model|sku|item|article|serial|account|version|isbn|"
    r"customer|part|product|bestellung|zip|postcode|imei)\b(?: (?:number|no|nr|id|code))?|#|№|[€$£]|\b(?:usd|eur|gbp|pkr|rs)\b)[.:\s]*(?:is|was)?[:\s]*$",
    re.IGNORECASE,
)
_CALLED = re.compile(
    r"\b(?:phone|telephone|tel|telefon|mobile|mobil|cell|call|calling|ring|dial|sms|text me|whatsapp|fax|reach|contact|handy|hotline|landline|answering)\b",
    re.IGNORECASE,
)
_CALLED_AFTER = re.compile(r"\W{0,3}(?:office|fax|mobile|home|work|cell|phone)\b", re.IGNORECASE)
_WORD_AFTER = re.compile(r" [^\W\d_]")
_NORTH_AMERICAN = re.compile(r"(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])[2-9]\d\d[-. ]\d{4}")
_BRACKETED = re.compile(r"\(0?\d{2,5}\)[ -]?\d[\d -]{4,}")
_BEFORE, _AFTER = 40, 12
_LEAST, _MOST = 7, 15
_NATIONAL = (9, 12)
"""Number of digits of a national number with a leading 0."""


def list_phone_spans(line: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of phone numbers: (start, end)."""
    for found in _NUMBER.finditer(line):
        text = found[0]
        digits = re.sub(r"\D", "", text)
        if _DATE.fullmatch(text) or _IP.fullmatch(text) or _THOUSANDS.fullmatch(text) or len(digits) > _MOST:
            continue
        if _is_international(text, digits) or _is_national(line, found, digits):
            yield found.span()


def _is_international(text: str, digits: str) -> bool:
    if not text.startswith(("+", "(+", "00")):
        return False
    number = digits.removeprefix("00") if text.startswith("00") else digits
    try:
        # a bracketed 0 is dropped in international notation: "+46 (0)8 ..."
        parsed = phonenumbers.parse("+" + (re.sub(r"\D", "", text.replace("(0)", "")).removeprefix("00") or number))
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(parsed)


def _is_national(line: str, found: re.Match[str], digits: str) -> bool:
    before = line[max(0, found.start() - _BEFORE) : found.start()]
    if _OTHER.search(before):
        return False
    text = found[0]
    called = bool(_CALLED.search(before) or _CALLED_AFTER.match(line[found.end() : found.end() + _AFTER]))
    if called:
        return len(digits) >= _LEAST
    if _NORTH_AMERICAN.fullmatch(text) or _BRACKETED.fullmatch(text):
        return True
    if digits.startswith("0"):
        return _NATIONAL[0] <= len(digits) <= _NATIONAL[1] and not digits.startswith("000")
    return _is_grouped(text) and len(digits) >= _LEAST and not _is_house(line, found)


def _is_house(line: str, found: re.Match[str]) -> bool:
    """Whether it is two groups followed by a word: a house number and its street."""
    return len(re.findall(r"\d+", found[0])) <= 2 and bool(_WORD_AFTER.match(line, found.end()))  # noqa: PLR2004


def _is_grouped(text: str) -> bool:
    """Whether it has groups of two to six digits with one kind of separator, unlike any amount: "451 5986", "72 128 827"."""
    groups = re.split(r"[ .-]", text)
    return (
        len(set(re.findall(r"\D", text))) == 1
        and 2 <= len(groups) <= 5  # noqa: PLR2004 -- a number has no more groups
        and all(2 <= len(group) <= 6 for group in groups)  # noqa: PLR2004 -- see above
    )
