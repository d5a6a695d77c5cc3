"""What a turn is about: the subject named in a conversation, and a question made whole from the turns before it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal

from knowledge.types import Question, Utterance

Standing = Literal["same", "older", "other", "unnamed", "general"]
STANDINGS: tuple[Standing, ...] = ("same", "older", "other", "unnamed", "general")

COVERED = 0.75
"""Share of a name's own letters that must be found in a text for the text to name it: "Acorn" is enough for "Acorn
Guest House", "Cambridge" is not enough for "Cambridge Chop House"."""

_words = frozenset
REMEMBERED_TURNS = 6
"""Names said longer ago than this are no subject any more."""

KIND_WORDS = _words(
    "hotel hotels restaurant restaurants guest guesthouse house bed breakfast lodge inn bar cafe kitchen pizzeria museum "
    "gallery theatre cinema park college church hostel motel resort suites apartments shop store company inc ltd the a an "
    "and at of".split()
)
NEVER_NAMES = _words(
    "i ill im id ive ok okay yes no not sure great thanks thank you your sorry please hello hi hey would what when where "
    "which who how why is are do does did can could will may have has there this that these those it its they we our us my "
    "he she his her their the a an and or but so if then also just all any some one two three for from to in on at by with as of "
    "sunday monday tuesday wednesday thursday friday saturday january february march april june july august september "
    "october november december north south east west centre center wifi internet gbp usd eur byob atm faq "
    "reference number street road avenue lane street drive visa mastercard amex paypal express american maestro cash "
    "british chinese indian italian french spanish mexican thai japanese korean asian european african turkish greek "
    "portuguese vietnamese mediterranean english german american halal vegan vegetarian anything unfortunately however "
    "outdoor indoor free high chairs data discount room parking wi-fi wi fi pounds monday-saturday train trains taxi taxis bus id master card cards credit booking perfect awesome alright actually let here enjoy good glad nice well per let's lets i'm i'll i've i'd it's that's".split()
)
PLACE_BEFORE = _words("to from in into of leaving leave depart departs departing near toward towards between via on by until".split())
SERVICES = {
    **dict.fromkeys(("taxi", "taxis", "cab", "cabs"), "taxi"),
    **dict.fromkeys(("train", "trains"), "train"),
    **dict.fromkeys(("bus", "buses", "coach"), "bus"),
    **dict.fromkeys(("flight", "flights", "plane"), "flight"),
    **dict.fromkeys(("ferry", "ferries"), "ferry"),
}
"""Things that are asked about without a proper name: "the taxi" is as good as a name."""

ROUTE = _words("to from between towards toward leaving leave depart departing departs".split())
PLACE_AFTER = _words("street road avenue lane drive st rd square city station airport way".split())
JOINERS = _words("and of de la le the & du el da von".split())

WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*|&|[.!?:;,()\"]", re.UNICODE)
PRONOUN = re.compile(
    r"\b(it|its|it's|they|them|their|there|that|this|these|those|one|ones|he|she|his|her|both|either|same|the "
    r"(?:hotel|restaurant|place|venue|shop|store|product|item|order|service|plan|account|attraction|museum|one))\b",
    re.IGNORECASE,
)
VENUE = re.compile(
    r"\b(?:the|this|that|your|their) (?:hotel|restaurant|guest ?house|bed and breakfast|b ?& ?b|museum|theatre|college|pub|cafe|"
    r"park|gallery|church|cinema|nightclub|pool)\b",
    re.IGNORECASE,
)
CONTINUES = re.compile(r"^\s*(and|or|but|also|what about|how about|so|then|ok(?:ay)?,? and)\b[\s,]*", re.IGNORECASE)
ORDINALS = {
    "first": 0,
    "second": 1,
    "third": 2,
    "fourth": 3,
    "fifth": 4,
    "last": -1,
    "latter": -1,
    "former": 0,
    "other": 1,
}
ORDINAL = re.compile(
    r"\b(?:the )?(first|second|third|fourth|fifth|last|latter|former|other)(?: (?:one|option))?\b", re.I
)
ITEM = re.compile(r"(?:^|\n|\s)(?:\d+[.)]|[-*•])\s+(.+?)(?=(?:\n|\s)(?:\d+[.)]|[-*•])\s|\n|$)")


def subject_of(turns: Sequence[Utterance], known: Iterable[str] = ()) -> str | None:
    """The one named thing a conversation's last question is about, or None where nothing is named.

    The turns end in the answer. Names said often and last win. ``known`` are names that count in any spelling, such
    as the subjects of a first pass over all conversations, since people write "the acorn" without capitals.
    """
    lexicon = tuple(dict.fromkeys(known))
    of_a_venue = any(VENUE.search(turn.text) for turn in turns[-2:])
    scores: dict[str, float] = {}
    for age, turn in enumerate(reversed(turns[-REMEMBERED_TURNS:])):
        for name in _all_names(turn.text, lexicon, without_services=of_a_venue):
            said = next((k for k in scores if names(k, name) or names(name, k)), None)
            before = scores.pop(said, 0.0) if said else 0.0
            best = max((name, said or ""), key=lambda n: (n in lexicon, len(n)))
            scores[best] = before + (0.4 if before else 6.0 / (2 + age) + 0.4 * (" " in name)) + (age < 2)
    return max(scores, key=lambda name: scores[name]) if scores else None


def subjects_of(conversations: Sequence[Sequence[Utterance]], known: Iterable[str] = ()) -> list[str | None]:
    """The subject of each conversation, where a name that several of them share counts in any spelling."""
    first = Counter(subject for turns in conversations if (subject := subject_of(turns)))
    lexicon = list(known)
    for name, count in first.most_common():
        if count > 1 and not any(names(k, name) and names(name, k) for k in lexicon):
            lexicon.append(name)
    return [subject_of(turns, lexicon) for turns in conversations]


def standing(subject: str | None, question: Question, rivals: Sequence[str] = ()) -> Standing:
    """How an entry's subject stands to what is being talked about now; ``rivals`` are other known subjects."""
    if subject is None:
        return "general"
    of_a_venue = bool(VENUE.search(question.text))
    if of_a_venue and subject in SERVICES:
        return "other"
    named_since = False
    for text in _newest_first(question):
        if names(text, subject):
            return "older" if named_since else "same"
        named_since = named_since or bool(_all_names(text, rivals, without_services=of_a_venue))
    return "other" if named_since else "unnamed"


def _all_names(text: str, known: Sequence[str], *, without_services: bool = False) -> list[str]:
    found = [name for name in known if names(text, name)]
    found += [n for n in names_in(text) if not any(names(n, f) or names(f, n) for f in found)]
    return [n for n in found if not (without_services and n in SERVICES)]


def current_name(question: Question) -> str | None:
    """The name said last, in the question or before it."""
    for text in _newest_first(question):
        found = names_in(text)
        if found:
            return found[-1]
    return None


def resolved(question: Question) -> str:
    """The question made whole: what it refers to is added from the turns before it."""
    if not question.history:
        return question.text
    choice = _chosen_item(question)
    if choice:
        return f"{_last_customer_text(question)} {choice} {question.text}".strip()
    if _is_fragment(question.text):
        return f"{_last_customer_text(question)} {question.text}".strip()
    name = current_name(question)
    if name and not names(question.text, name):
        return f"{question.text} {name}"
    return question.text


def is_dependent(text: str) -> bool:
    """Whether a turn needs the turns before it to be understood ("do they...", "and for the second one?")."""
    return bool(PRONOUN.search(text) or _is_fragment(text) or ORDINAL.search(text))


def names(text: str, name: str) -> bool:
    """Whether a text names something, however it is spelt or shortened."""
    own = _own_words(name)
    if not own or name in SERVICES:
        return bool(own) and name in names_in(text)
    words = _plain_words(text)
    if _is_run_together("".join(own), words):
        return not _is_place(own[0], words)
    total = sum(len(w) for w in own)
    said = [w for w in own if _is_said(w, words)]
    return sum(len(w) for w in said) >= COVERED * total and not _is_place(said[0], words)


def masked(text: str, known: Iterable[str | None]) -> str:
    """The text with the known names replaced by "it", so that the same question about two hotels reads alike."""
    subjects = [name for name in known if name and name not in SERVICES]
    said = {n for n in names_in(text) if any(names(n, k) or names(k, n) for k in subjects)}
    for each in sorted(said.union(subjects), key=len, reverse=True):
        text = re.sub(rf"\b(?:the )?{re.escape(each)}\b", "it", text, flags=re.IGNORECASE)
    return text


@lru_cache(maxsize=4096)
def names_in(text: str) -> tuple[str, ...]:
    """The names in a text, in the order they are said; places gone to and addresses are left out."""
    tokens = WORD.findall(text)
    found: list[str] = []
    start = 0
    while start < len(tokens):
        end = _name_end(tokens, start)
        name = _checked_name(tokens, start, end) if end > start else SERVICES.get(tokens[start].lower())
        found += [name] if name else []
        start = max(end, start + 1)
    return tuple(found)


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
    if len(words) == 1 and words[0].isupper() and len(words[0]) != 5:
        return None
    return " ".join(words)


def _newest_first(question: Question) -> Iterable[str]:
    yield question.text
    for turn in reversed(question.history):
        yield turn.text


@lru_cache(maxsize=8192)
def _plain_words(text: str) -> tuple[str, ...]:
    return tuple(
        re.sub(r"[^\w]", "", w).replace("_", "") for w in re.split(r"[\s/,-]+", text.lower()) if w.strip(".,!?")
    )


@lru_cache(maxsize=4096)
def _own_words(name: str) -> tuple[str, ...]:
    words = [re.sub(r"s$", "", w) if len(w) > 4 else w for w in _plain_words(name) if w]
    own = tuple(w for w in words if w not in KIND_WORDS)
    return own or tuple(w for w in words if len(w) > 3)


def _is_place(word: str, words: Sequence[str]) -> bool:
    """Whether a word is only gone to or come from: "from Cambridge" does not name the "Cambridge Lodge"."""
    found = [i for i, w in enumerate(words) if w.startswith(word)]
    before = [words[i - 2] if i > 1 and words[i - 1] == "the" else words[i - 1] if i else "" for i in found]
    return bool(found) and all(b in ROUTE for b in before)


def _is_run_together(name: str, words: Sequence[str]) -> bool:
    """Whether the words from some word on spell the name: "city roomz" for "Cityroomz"."""
    if len(name) < 5:
        return False
    return any("".join(words[i : i + 6]).startswith(name) for i, w in enumerate(words) if w and name.startswith(w[:3]))


def _is_said(word: str, words: Sequence[str]) -> bool:
    if len(word) < 5:
        return word in words
    return any(w.startswith(word) or (abs(len(w) - len(word)) < 3 and _alike(w, word)) for w in words)


@lru_cache(maxsize=65536)
def _alike(one: str, other: str) -> bool:
    return one[0] == other[0] and SequenceMatcher(None, one, other).ratio() >= 0.88


def _last_customer_text(question: Question) -> str:
    return next((t.text for t in reversed(question.history) if t.speaker == "customer"), "")


def _is_fragment(text: str) -> bool:
    return bool(CONTINUES.match(text)) and len(text.split()) <= 6


def _chosen_item(question: Question) -> str | None:
    picked = ORDINAL.search(question.text)
    offered = next((t.text for t in reversed(question.history) if t.speaker != "customer"), "")
    items = [i.strip() for i in ITEM.findall(offered)] if picked else []
    position = ORDINALS[picked.group(1).lower()] if picked else 0
    return items[position] if -len(items) <= position < len(items) else None
