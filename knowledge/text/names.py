"""Proper names: finds them in text, matches spelling variants, and masks them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache


def _split_terms(text: str) -> frozenset[str]:
    return frozenset(text.split())


MOST_LETTERS_MORE = 2
COVERED = 0.75
"""Minimum share of a name's letters found in a text for the text to name it: "Acorn" is enough for "Acorn Guest House",
"Cambridge" is not enough for "Cambridge Chop House"."""
SHORT = 5
"""Words with fewer letters must match exactly."""
ALIKE = 0.88
"""Minimum similarity for a word to count as a misspelt name."""
KIND_WORDS = _split_terms(
    "hotel hotels restaurant restaurants guest guesthouse house bed breakfast lodge inn bar cafe kitchen "
    "pizzeria museum gallery theatre cinema park college church hostel motel resort suites apartments shop "
    "store company inc ltd the a an and at of"
)
NEVER_NAMES = _split_terms(
    "i ill im id ive ok okay yes no not sure great thanks thank you your sorry please hello hi hey would what "
    "when where which who how why is are do does did can could will may have has there this that these those "
    "it its they we our us my he she his her their the a an and or but so if then also just all any some one "
    "two three for from to in on at by with as of sunday monday tuesday wednesday thursday friday saturday "
    "january february march april june july august september october november december north south east west "
    "centre center wifi internet gbp usd eur byob atm faq reference number street road avenue lane street "
    "drive visa mastercard amex paypal express american maestro cash british chinese indian italian french "
    "spanish mexican thai japanese korean asian european african turkish greek portuguese vietnamese "
    "mediterranean english german american halal vegan vegetarian anything unfortunately however outdoor "
    "indoor free high chairs data discount room parking wi-fi wi fi pounds monday-saturday train trains taxi "
    "taxis bus id master card cards credit booking perfect awesome alright actually let here enjoy good glad "
    "nice well per let's lets i'm i'll i've i'd it's that's"
)
PLACE_BEFORE = _split_terms(
    "to from in into of leaving leave depart departs departing near toward towards between via on by until"
)
SERVICES = {
    **dict.fromkeys(("taxi", "taxis", "cab", "cabs"), "taxi"),
    **dict.fromkeys(("train", "trains"), "train"),
    **dict.fromkeys(("bus", "buses", "coach"), "bus"),
    **dict.fromkeys(("flight", "flights", "plane"), "flight"),
    **dict.fromkeys(("ferry", "ferries"), "ferry"),
}
"""Services without a proper name: "the taxi" is as good as a name."""
ROUTE = _split_terms("to from between towards toward leaving leave depart departing departs")
PLACE_AFTER = _split_terms("street road avenue lane drive st rd square city station airport way")
JOINERS = _split_terms("and of de la le the & du el da von")
WORD = re.compile(r"[^\W_]+(?:[-'\u2019.][^\W_]+)*|&|[.!?:;,()\"]", re.UNICODE)


@lru_cache(maxsize=65536)
def matches_name(text: str, name: str) -> bool:
    """Whether a text names something, despite misspelling or shortening."""
    own = _own_words(name)
    if not own or name in SERVICES:
        return bool(own) and name in names_in(text)
    words = _plain_words(text)
    if _is_run_together("".join(own), words):
        return not _is_place(own[0], words)
    total = sum(len(w) for w in own)
    said = [w for w in own if _has_similar_term(w, words)]
    return sum(len(w) for w in said) >= COVERED * total and not _is_place(said[0], words)


@lru_cache(maxsize=4096)
def names_in(text: str) -> tuple[str, ...]:
    """Return the names in a text, in order; places travelled to or from and addresses are left out."""
    tokens = WORD.findall(text)
    found: list[str] = []
    start = 0
    while start < len(tokens):
        end = _name_end(tokens, start)
        name = _checked_name(tokens, start, end) if end > start else SERVICES.get(tokens[start].lower())
        found += [name] if name else []
        start = max(end, start + 1)
    return tuple(found)


def mask_names(text: str, known: Iterable[str | None]) -> str:
    """Replace the known names with "it", so that the same question about two hotels looks alike."""
    subjects = [name for name in known if name and name not in SERVICES]
    said = {n for n in names_in(text) if any(matches_name(n, k) or matches_name(k, n) for k in subjects)}
    for each in sorted(said.union(subjects), key=len, reverse=True):
        text = re.sub(rf"\b(?:the )?{re.escape(each)}\b", "it", text, flags=re.IGNORECASE)
    return text


def _name_end(tokens: list[str], start: int) -> int:
    end = start
    while end < len(tokens):
        if _is_capital(tokens[end]):
            end += 1
        elif end > start and tokens[end].lower() in JOINERS and end + 1 < len(tokens) and _is_capital(tokens[end + 1]):
            end += 2
        else:
            break
    return end


def _is_capital(token: str) -> bool:
    return token[0].isupper() and token.lower() not in NEVER_NAMES and not any(c.isdigit() for c in token)


def _checked_name(tokens: list[str], start: int, end: int) -> str | None:
    before = tokens[start - 1] if start else "."
    after = tokens[end].lower() if end < len(tokens) else ""
    words = tokens[start:end]
    own = [w for w in words if w.lower() not in KIND_WORDS]
    if before.lower() == "the" and start > 1 and tokens[start - 2].lower() in ROUTE:
        return None
    if not own or before.lower() in PLACE_BEFORE or before[0].isdigit():
        return None
    if words[-1].lower() in PLACE_AFTER or (len(words) == 1 and (before in ".!?:" or after in PLACE_AFTER)):
        return None
    if len(words) == 1 and words[0].isupper() and len(words[0]) != SHORT:
        return None
    return " ".join(words)


@lru_cache(maxsize=8192)
def _plain_words(text: str) -> tuple[str, ...]:
    return tuple(
        re.sub(r"[^\w]", "", w).replace("_", "") for w in re.split(r"[\s/,-]+", text.lower()) if w.strip(".,!?")
    )


@lru_cache(maxsize=4096)
def _own_words(name: str) -> tuple[str, ...]:
    words = [re.sub(r"s$", "", w) if len(w) >= SHORT else w for w in _plain_words(name) if w]
    own = tuple(w for w in words if w not in KIND_WORDS)
    return own or tuple(w for w in words if len(w) >= SHORT - 1)


def _is_place(word: str, words: Sequence[str]) -> bool:
    """Whether a word is only a place travelled to or from: "from Cambridge" does not name "Cambridge Lodge"."""
    found = [i for i, w in enumerate(words) if w.startswith(word)]
    before = [words[i - 2] if i > 1 and words[i - 1] == "the" else words[i - 1] if i else "" for i in found]
    return bool(found) and all(b in ROUTE for b in before)


def _is_run_together(name: str, words: Sequence[str]) -> bool:
    """Whether consecutive words spell the name: "city roomz" for "Cityroomz"."""
    if len(name) < SHORT:
        return False
    return any("".join(words[i : i + 6]).startswith(name) for i, w in enumerate(words) if w and name.startswith(w[:3]))


def _has_similar_term(word: str, words: Sequence[str]) -> bool:
    if len(word) < SHORT:
        return word in words
    return any(
        w.startswith(word) or (abs(len(w) - len(word)) <= MOST_LETTERS_MORE and _is_similar_term(w, word))
        for w in words
    )


@lru_cache(maxsize=65536)
def _is_similar_term(one: str, other: str) -> bool:
    return one[0] == other[0] and SequenceMatcher(None, one, other).ratio() >= ALIKE
