"""Microsoft Presidio's recognisers and our own. Importing this module takes seconds.

They run without a language model, one line at a time, and only on lines with an "@" or a digit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from presidio_analyzer import Pattern, PatternRecognizer
from presidio_analyzer.predefined_recognizers import (
    EsNieRecognizer,
    EsNifRecognizer,
    FiPersonalIdentityCodeRecognizer,
    IbanRecognizer,
    InAadhaarRecognizer,
    InPanRecognizer,
    ItFiscalCodeRecognizer,
    NhsRecognizer,
    PlPeselRecognizer,
    UkNinoRecognizer,
    UsSsnRecognizer,
)

from core.llm.masking.masker import Found
from core.llm.masking.phones import list_phone_spans

_DIGIT = re.compile(r"\d")
_IDENTITY = re.compile(r"(?:\d[ .-]?){5}|[A-Za-z]{5}\d{4}|[A-Za-z]{6}\d\d")
"""Occurs in every identity number; most lines lack it and need no check for each kind."""
_SURE = 0.4
"""Presidio's score from which a pattern alone is accepted; a valid checksum scores 1."""
_BEFORE = 40
"""Number of characters before a number that are searched for its cue word."""


class EmailRecognizer(PatternRecognizer):
    """Recognises e-mail addresses; Presidio's own recogniser downloads the list of domains."""

    def __init__(self) -> None:
        super().__init__(
            "EMAIL", patterns=[Pattern("e-mail", r"[\w.!#$%&'*+/=?^`{|}~-]*[\w+]@(?:[\w-]+\.)+\w{2,}", 1.0)]
        )


class CardRecognizer(PatternRecognizer):
    """Recognises card numbers by the issuers' prefixes and lengths, and the Luhn checksum."""

    def __init__(self) -> None:
        super().__init__("CARD", patterns=[Pattern("card", r"(?<![\w.-])\d(?:[ -]?\d){11,18}(?![\w-])", 0.5)])

    def validate_result(self, pattern_text: str) -> bool:
        """Whether issuers use this number, by prefix, length and checksum."""
        digits = re.sub(r"\D", "", pattern_text)
        return bool(_ISSUED.fullmatch(digits)) and _has_luhn_checksum(digits)


class CnicRecognizer(PatternRecognizer):
    """Recognises Pakistan's identity card number: 5-7-1 digits."""

    def __init__(self) -> None:
        super().__init__("ID", patterns=[Pattern("cnic", r"(?<![\w-])[1-8]\d{4}[- ]\d{7}[- ]\d(?![\w-])", 1.0)])


_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}"
    r"|(?:2131|1800)\d{11}|(?:50|5[6-9]|6\d)\d{10,17}"
)
_NATIONAL: tuple[tuple[Callable[[], PatternRecognizer], str], ...] = (
    (CnicRecognizer, ""),
    (UsSsnRecognizer, ""),
    (UkNinoRecognizer, ""),
    (EsNifRecognizer, ""),
    (EsNieRecognizer, ""),
    (ItFiscalCodeRecognizer, ""),
    (FiPersonalIdentityCodeRecognizer, ""),
    (InPanRecognizer, ""),
    (InAadhaarRecognizer, r"aadhaa?r|uidai"),
    (NhsRecognizer, r"\bnhs\b"),
    (PlPeselRecognizer, r"pesel"),
)
"""Each with its required preceding cue word, for numbers that look like any other number."""
_SAID = (
    (
        re.compile(r"(?<![\w-])\d{3}[- ]?\d{2}[- ]?\d{4}(?![\w-])"),
        re.compile(r"\bssn\b|social security", re.IGNORECASE),
    ),
    (re.compile(r"(?<![\w-])\d{13}(?![\w-])"), re.compile(r"\bc?nic\b|identity card|shanakhti", re.IGNORECASE)),
)
"""Numbers that only a preceding cue word identifies as identity numbers."""


class PersonalDataFinder:
    """Runs all recognisers over one line."""

    def __init__(self) -> None:
        self._email, self._iban, self._card = EmailRecognizer(), IbanRecognizer(), CardRecognizer()
        self._national = [(make(), re.compile(word, re.IGNORECASE) if word else None) for make, word in _NATIONAL]

    def __call__(self, line: str) -> list[Found]:
        """Return all matches in a line, including overlapping ones, with their ranks."""
        found = list(self._recognise_spans(self._email, line, 0, "EMAIL")) if "@" in line else []
        if _DIGIT.search(line):
            upper = line.upper()
            found += self._recognise_spans(self._iban, upper if len(upper) == len(line) else line, 1, "IBAN")
            found += self._recognise_spans(self._card, line, 2, "CARD")
            found += (Found(4, start, end, "PHONE") for start, end in list_phone_spans(line))
        if _IDENTITY.search(line):
            for recogniser, word in self._national:
                found += (
                    f
                    for f in self._recognise_spans(recogniser, line, 3, "ID")
                    if word is None or _has_preceding_cue(line, f.start, word)
                )
            found += (
                Found(3, *match.span(), "ID")
                for number, word in _SAID
                for match in number.finditer(line)
                if _has_preceding_cue(line, match.start(), word)
            )
        return found

    @staticmethod
    def _recognise_spans(recogniser: PatternRecognizer, line: str, rank: int, kind: str) -> Iterator[Found]:
        for result in recogniser.analyze(line, recogniser.supported_entities):
            if result.score >= _SURE:
                blank = len(line[result.start :]) - len(line[result.start :].lstrip())
                yield Found(rank, result.start + blank, result.end, kind)


def _has_preceding_cue(line: str, start: int, word: re.Pattern[str]) -> bool:
    return bool(word.search(line, max(0, start - _BEFORE), start))


def _has_luhn_checksum(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0
