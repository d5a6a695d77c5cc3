# ruff: noqa: RUF001 -- people type these signs
"""Extracts the facts an answer must get right: numbers, names, web and e-mail addresses, and negation."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from knowledge.text.features import STOPWORDS
from knowledge.text.sentences import MARK

NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>()\]]+|[\w.+-]+@[\w-]+\.[\w.-]+", re.IGNORECASE)
NEGATION = re.compile(
    r"\b(?:not|no|never|none|cannot|without|neither|nor|nobody|nothing|unable|impossible|non|nicht|kein\w*|nie|ohne|pas|jamais|nunca|sin)\b|n['’]t\b|نہیں",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_MARKDOWN = re.compile(r"[*_`#>]+")
_SPELT = dict(
    zip(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
        (str(n) for n in range(1, 13)),
        strict=True,
    )
)
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_UNITS = {
    **{
        unit: unit for unit in ("second", "minute", "hour", "day", "night", "week", "month", "year", "mile", "km", "kg")
    },
    **dict.fromkeys(("%", "percent"), "%"),
    **dict.fromkeys(("£", "gbp", "pound"), "GBP"),
    **dict.fromkeys(("€", "eur", "euro"), "EUR"),
    **dict.fromkeys(("$", "usd", "dollar"), "USD"),
}
_AMOUNT = rf"(?:{NUMBER.pattern}|\b(?:{'|'.join(_SPELT)})\b)"
_UNIT = "|".join(unit if unit.isalpha() else re.escape(unit) for unit in _UNITS)
MEASURE = re.compile(
    rf"(?:(?P<first>{_AMOUNT})\s*(?:to|and|or|-|–)\s*[£€$]?)?(?P<number>{_AMOUNT})[\s-]*(?:(?:working|business|calendar|full|whole|more)\s+)?"
    rf"(?P<unit>(?:{_UNIT})s?)(?!\w)|(?P<sign>[£€$])\s*(?P<amount>{NUMBER.pattern})",
    re.IGNORECASE,
)
_LETTERS = 5
"""Words are compared by their first letters, so that endings do not matter."""
GENERAL = STOPWORDS | frozenset(
    [
        "able",
        "above",
        "after",
        "again",
        "against",
        "all",
        "almost",
        "already",
        "although",
        "always",
        "among",
        "another",
        "anyone",
        "anything",
        "anyway",
        "around",
        "away",
        "back",
        "because",
        "before",
        "below",
        "besides",
        "between",
        "both",
        "bring",
        "come",
        "contact",
        "each",
        "either",
        "else",
        "enough",
        "even",
        "ever",
        "every",
        "everything",
        "few",
        "find",
        "first",
        "further",
        "get",
        "give",
        "given",
        "go",
        "going",
        "good",
        "great",
        "happen",
        "help",
        "her",
        "hers",
        "herself",
        "him",
        "himself",
        "however",
        "include",
        "including",
        "indeed",
        "instead",
        "into",
        "it's",
        "itself",
        "keep",
        "kind",
        "know",
        "last",
        "later",
        "least",
        "less",
        "let",
        "like",
        "likely",
        "little",
        "long",
        "look",
        "lot",
        "made",
        "make",
        "makes",
        "making",
        "many",
        "means",
        "more",
        "most",
        "much",
        "need",
        "needs",
        "never",
        "next",
        "nor",
        "note",
        "now",
        "off",
        "often",
        "once",
        "one",
        "only",
        "other",
        "others",
        "otherwise",
        "out",
        "over",
        "own",
        "per",
        "perhaps",
        "possible",
        "put",
        "quite",
        "rather",
        "really",
        "right",
        "same",
        "say",
        "see",
        "several",
        "since",
        "still",
        "such",
        "sure",
        "take",
        "than",
        "their",
        "theirs",
        "them",
        "themselves",
        "then",
        "therefore",
        "though",
        "through",
        "thus",
        "together",
        "too",
        "towards",
        "under",
        "unless",
        "until",
        "up",
        "upon",
        "us",
        "use",
        "used",
        "using",
        "usually",
        "very",
        "via",
        "want",
        "way",
        "ways",
        "well",
        "while",
        "whole",
        "whom",
        "whose",
        "within",
        "without",
        "yet",
        "you'll",
        "you're",
        "you've",
        "your",
        "yours",
        "yourself",
        "i'm",
        "i'll",
        "i'd",
        "i've",
        "we're",
        "we'll",
        "we've",
        "don't",
        "doesn't",
        "can't",
        "cannot",
        "won't",
        "isn't",
        "aren't",
        "that's",
        "there's",
        "they're",
        "glad",
        "welcome",
        "sorry",
        "apologise",
        "apologies",
        "unfortunately",
        "information",
        "question",
        "questions",
        "answer",
        "according",
        "based",
        "mentioned",
        "said",
        "says",
        "called",
        "known",
        "evidence",
    ]
)
"""Words without content of their own."""


@dataclass(frozen=True)
class Facts:
    """The facts of a text in comparable form."""

    words: frozenset[str]
    """Stems of the content words."""
    numbers: frozenset[str]
    measures: frozenset[str]
    addresses: frozenset[str]
    negated: bool


def strip_markup(text: str) -> str:
    """Remove citation marks and Markdown."""
    return _MARKDOWN.sub("", MARK.sub("", text))


def extract_facts(text: str) -> Facts:
    """Extract the facts of a text."""
    text = strip_markup(text)
    rest = ADDRESS.sub(" ", text)
    return Facts(
        words=frozenset(stem_token(word) for word in _WORD.findall(rest) if is_content(word)),
        numbers=extract_numbers(rest),
        measures=extract_measures(rest),
        addresses=frozenset(normalise_address(found) for found in ADDRESS.findall(text)),
        negated=bool(NEGATION.search(text)),
    )


def normalise_address(text: str) -> str:
    """Normalise an e-mail or web address for comparison."""
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", text.lower()).rstrip("./,;:!?")


def extract_numbers(text: str) -> frozenset[str]:
    """Return the numbers in a text, "1,250.00" as "1250"; spelt-out numbers are included."""
    written = {_normalise_number(found) for found in NUMBER.findall(unicodedata.normalize("NFKC", text))}
    return frozenset(written | {_SPELT[w.lower()] for w in _WORD.findall(text) if w.lower() in _SPELT})


def extract_measures(text: str) -> frozenset[str]:
    """Return the numbers with an English unit or a currency, "3 to 5 working days" as "3 day" and "5 day"."""
    found: set[str] = set()
    for match in MEASURE.finditer(unicodedata.normalize("NFKC", text)):
        said = (match["unit"] or match["sign"]).lower()
        unit = _UNITS.get(said) or _UNITS[said.removesuffix("s")]
        amounts = [match["first"], match["number"], match["amount"]]
        found |= {f"{_SPELT.get(a.lower()) or _normalise_number(a)} {unit}" for a in amounts if a}
    return frozenset(found)


def stem_token(word: str) -> str:
    """Return the stem of a word for comparison."""
    return _fold_letters(word)[:_LETTERS]


def is_content(word: str) -> bool:
    """Whether a word carries meaning."""
    lower = word.lower().replace("’", "'")
    return lower not in GENERAL and lower not in _SPELT and (len(lower) > 1 or not lower.isascii())


def extract_proper_names(text: str) -> list[str]:
    """Return capitalised words that do not begin the sentence, or have a capital inside ("PayPal")."""
    found = list(_WORD.finditer(strip_markup(text)))
    return [
        m[0]
        for n, m in enumerate(found)
        if is_content(m[0]) and (m[0][1:] != m[0][1:].lower() or (n and m[0][0].isupper()))
    ]


def split_tokens(text: str) -> list[str]:
    """Return all words of a text."""
    return _WORD.findall(text)


def _fold_letters(word: str) -> str:
    word = re.sub(r"['’]s$", "", word.lower())
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


def _normalise_number(text: str) -> str:
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text):
        text = text.replace(",", "")
    text = re.sub(r"[.,:]0+$", "", text) if re.fullmatch(r"\d+[.,:]0+", text) else text
    return text.replace(",", ".").lstrip("0") or "0"
