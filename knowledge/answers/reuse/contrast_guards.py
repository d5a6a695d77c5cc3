# ruff: noqa: RUF001 -- people type these signs
"""Guards of verbatim reuse: detect questions that look alike but must never share an answer, whatever the score."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from functools import cache, lru_cache
from itertools import pairwise
from typing import Literal

from core.language import language_of
from knowledge.answers.reuse.contrast_words import (
    DATES,
    KINDS_OF_THING,
    NEGATIONS,
    NUMBERS,
    OPPOSITES,
    PLACES,
    SAME,
    UNDOING,
    UNITS,
    VAGUE,
)
from knowledge.text.features import STOPWORDS
from knowledge.text.names import NEVER_NAMES, WORD

Difference = Literal["opposite", "number", "unit", "date", "name", "direction", "thing", "language"]

PARTICLE = re.compile(
    r"\b(turn|switch|zoom|log|sign|check|pick|drop|pay|take|hire|rent|slow|speed|send|set)(?:ing|ed|s|ning|ping)?"
    r"((?: (?!how|when|where|why|and|or|if)[\w'-]+){0,4}?) (on|off|in|out|up|down|back)\b"
)
MORNING = re.compile(r"(?<=\d) ?am\b")
NEGATED = re.compile(r"\b(do|does|did|is|are|was|were|ca|wo|has|have|had|would|should|could|must|need)n['’]?t\b")
TOKEN = re.compile(r"[$€£¥₹%]|\d+(?:[.,:]\d+)*|[^\W\d_]+(?:[_'’-][^\W\d_]+)*")
FROM, TO = re.compile(r"\bfrom (?:the )?(\w+)"), re.compile(r"\bto (?:the )?(\w+)")
ONE_OF = re.compile(
    r"\b(?:which|that|this|the|new|old|another|other|no|any|from|every|each) ones?\b|\bone(?:$|[?.,!])|\bfrom one\b|\bboth\b|\bone(?= (?:of|another|more|day|time|else))",
    re.IGNORECASE,
)
ENDINGS = ("'s", "s", "es", "ed", "d", "ing", "ation", "ly", "e")
SCOPE = 2
"""Number of words after a "not" that it may negate."""
NEAR_FRAME = 0.2
"""Minimum share of common words for opposite words to concern the same thing."""
SAME_FRAME = 0.5
"""The same if only a "not" or a name differs."""
FRAME = 0.6
"""Minimum share of equal words for two questions to count as one frame with a replaced term."""
SPELT_ALIKE = 0.75
LONGEST_SWAP = 2
"""Maximum number of replaced words in such a frame."""


def find_difference(
    asked: str, phrasings: Sequence[str], language: str = "en", subject: str | None = None
) -> Difference | None:
    """Return the kind of difference that forbids reuse, or None. ``phrasings`` are the entry's, matched one first.

    The other phrasings count as well: an entry asked with both "on" and "off" answers both.
    """
    if not phrasings:
        return None
    own = tuple(dict.fromkeys(phrasings))
    one, all_ = _extract_lemmas(asked), tuple(word for text in own for word in _extract_lemmas(text))
    checks: tuple[tuple[Difference, Callable[[], bool]], ...] = (
        ("language", lambda: _is_other_language(asked, own, language)),
        ("opposite", lambda: _has_opposites(one, own) or _has_negation_conflict(one, own)),
        (
            "number",
            lambda: _has_unmatched_items(_collect_numbers(asked), {n for text in own for n in _collect_numbers(text)}),
        ),
        (
            "unit",
            lambda: (
                _apart_in(UNITS, one, all_)
                or _has_unmatched_items(
                    _extract_rate_units(asked), {p for text in own for p in _extract_rate_units(text)}
                )
            ),
        ),
        ("date", lambda: _apart_in(DATES, one, all_)),
        ("name", lambda: _apart_in((*KINDS_OF_THING, *PLACES), one, all_) or _has_other_names(asked, own, subject)),
        ("direction", lambda: any(_is_direction_reversed(asked, text) for text in own)),
        ("thing", lambda: _has_replaced_object(one, _extract_lemmas(own[0]))),
    )
    return next((kind for kind, is_apart in checks if is_apart()), None)


@lru_cache(maxsize=8192)
def _extract_lemmas(text: str) -> tuple[str, ...]:
    """Return base forms in order; a compound ("turn it off", "next week") is one word at the end of its phrase."""
    plain = NEGATED.sub(
        lambda m: f"{_expand_verb_stem(m[1])} not", text.lower().replace("’", "'").replace("can't", "can not")
    )
    plain = PARTICLE.sub(lambda m: f"{m[1]}_{m[3]}{m[2]}", plain.replace("cannot", "can not"))
    plain = MORNING.sub("antemeridiem", plain).replace("half a dozen", "six")
    for phrase, joined in _list_joined_phrases():
        plain = plain.replace(phrase, joined)
    return tuple(compute_lemma(token) for token in TOKEN.findall(plain))


def _expand_verb_stem(verb: str) -> str:
    return {"ca": "can", "wo": "will", "sha": "shall"}.get(verb, verb)


@cache
def _list_joined_phrases() -> list[tuple[str, str]]:
    groups = [g for some in (DATES, KINDS_OF_THING, SAME) for group in some for g in group]
    joined = {m for member in groups for m in member.split() if "_" in m.strip("_")}
    return [(m.replace("_", " "), m) for m in sorted(joined, key=len, reverse=True)]


@cache
def _collect_vocabulary() -> frozenset[str]:
    sides = [word for pair in OPPOSITES for side in pair for word in side]
    members = [m for some in (UNITS, DATES, KINDS_OF_THING, SAME) for group in some for g in group for m in g.split()]
    return frozenset(sides) | frozenset(members)


@lru_cache(maxsize=16384)
def compute_lemma(word: str) -> str:
    """Return the base form if known, else the word without its ending."""
    if word in _collect_vocabulary() or word in NEGATIONS or len(word) <= len("bus"):
        return word
    cut = {ending: word.removesuffix(ending) for ending in ENDINGS if word.endswith(ending)}
    stems = [*cut.values(), *(f"{cut[e]}e" for e in ("ing", "ed", "ation") if e in cut)]
    stems += [s[:-1] for s in cut.values() if s[-1:] == s[-2:-1]] + [
        f"{s[:-1]}y" for s in cut.values() if s[-1:] == "i"
    ]
    shortest = min(cut.values(), key=len, default=word)
    return next((s for s in stems if s in _collect_vocabulary()), shortest)


def _is_other_language(asked: str, own: Sequence[str], language: str) -> bool:
    """Whether the question is in another language or has non-ASCII letters, and shares no word."""
    strange = language == "en" and not asked.replace("’", "'").isascii()
    said = language_of(asked)
    return (strange or said != language) and not any(
        _compute_likeness(_extract_lemmas(asked), _extract_lemmas(text)) for text in own
    )


def _compute_likeness(one: Sequence[str], other: Sequence[str]) -> float:
    """Return the share of common content words; synonyms count as equal."""
    a, b = (
        {_get_main_synonym(w) for w in words if w not in STOPWORDS and w not in NEGATIONS} for words in (one, other)
    )
    return len(a & b) / len(a | b) if a | b else 1.0


@lru_cache(maxsize=16384)
def _get_main_synonym(word: str) -> str:
    return next((min(group) for group in SAME if word in group), word)


def _has_opposites(one: Sequence[str], own: Sequence[str]) -> bool:
    a, b = set(one), {word for text in own for word in _extract_lemmas(text)}
    near = [words for words in map(_extract_lemmas, own) if _compute_likeness(one, words) >= NEAR_FRAME]
    for left, right in OPPOSITES:
        mine, theirs = (a & left, a & right), (b & left, b & right)
        apart = [any(sides) and not all(sides) for sides in (mine, theirs)]
        said = any((left | right) & set(words) for words in near)
        if all(apart) and bool(mine[0]) != bool(theirs[0]) and said and not a & b & (left | right):
            return True
    return any(
        _is_prefix_opposite(x, y, a) or _is_prefix_opposite(y, x, b)
        for words in near
        for x in a - b
        for y in set(words) - a
    )


def _is_prefix_opposite(one: str, other: str, beside: set[str]) -> bool:
    """Whether a prefix turns one word into the other's opposite ("block", "unblock"), and nothing undoes it."""
    return (
        len(one) > len("no") + 1
        and other in {f"{prefix}{one}" for prefix in ("un", "dis", "de", "in", "im", "non-", "non")}
        and not beside & UNDOING
    )


def _has_negation_conflict(one: Sequence[str], own: Sequence[str]) -> bool:
    """Whether one side negates what the other states."""
    near = [words for words in map(_extract_lemmas, own) if _compute_likeness(one, words) >= SAME_FRAME]
    return bool(near) and all(_has_negated_match(one, words) or _has_negated_match(words, one) for words in near)


def _has_negated_match(one: Sequence[str], other: Sequence[str]) -> bool:
    plain = set(other) - _collect_negated_terms(other) - STOPWORDS
    return bool(_collect_negated_terms(one) & plain)


@lru_cache(maxsize=8192)
def _collect_negated_terms(words: Sequence[str]) -> frozenset[str]:
    found: set[str] = set()
    for place, word in enumerate(words):
        if word in NEGATIONS:
            after = [w for w in words[place + 1 :] if w not in STOPWORDS]
            found.update(after[:SCOPE])
    return frozenset(found)


def _collect_numbers(text: str) -> set[str]:
    said = [w for w in _extract_lemmas(ONE_OF.sub(" ", text)) if w in NUMBERS or w[0].isdigit()]
    glued = re.findall(r"(?<=[A-Za-z-])\d+|\d+(?=[A-Za-z])", text)
    return {NUMBERS.get(w, w.replace(",", "")) for w in said} | set(glued)


def _extract_rate_units(text: str) -> set[str]:
    return {compute_lemma(w) for w in re.findall(r"\b(?:per|by the) (\w+)", text.lower())}


def _has_unmatched_items(one: Iterable[str], other: Iterable[str]) -> bool:
    a, b = set(one), set(other)
    return bool(a and b) and not (a <= b)


def _apart_in(groups: Sequence[frozenset[str]], one: Sequence[str], other: Sequence[str]) -> bool:
    a, b = set(one), set(other)
    return any(_has_unmatched_items(_select_groups(group, a), _select_groups(group, b)) for group in groups)


def _select_groups(group: frozenset[str], words: set[str]) -> set[str]:
    return {members for members in group if words & _split_members(members)}


@cache
def _split_members(members: str) -> frozenset[str]:
    return frozenset(member.strip("_") for member in members.split())


def _collect_names(text: str) -> set[str]:
    """Return capitalised words inside a sentence, in lowercase."""
    tokens = WORD.findall(text)
    return {
        t.lower().removesuffix("'s")
        for before, t in pairwise(tokens)
        if t[0].isupper() and before not in ".!?:" and t.lower() not in NEVER_NAMES | STOPWORDS
    }


def _has_other_names(asked: str, own: Sequence[str], subject: str | None) -> bool:
    """Whether both sides name different things; a name that the other side writes in lowercase is the same."""
    there, said = " ".join([*own, subject or ""]).lower(), asked.lower()
    mine = {name for name in _collect_names(asked) if name not in there}
    theirs = {name for text in own for name in _collect_names(text) if name not in said}
    gone = {compute_lemma(name) for name in mine | theirs}
    rest = [[w for w in _extract_lemmas(text) if w not in gone] for text in (asked, *own)]
    return bool(mine and theirs) and any(_compute_likeness(rest[0], words) >= SAME_FRAME for words in rest[1:])


def _is_direction_reversed(asked: str, own: str) -> bool:
    """Whether the two go between the same places in opposite directions."""
    ways = [(set(FROM.findall(t.lower())), set(TO.findall(t.lower()))) for t in (asked, own)]
    (from_a, to_a), (from_b, to_b) = ways
    return bool(from_a & to_b and to_a & from_b) and not (from_a & from_b)


def _has_replaced_object(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether one frame has another thing put in: "can I return shoes", "can I return a mattress"."""
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if 2 * sum(block.size for block in matcher.get_matching_blocks()) < FRAME * (len(one) + len(other)):
        return False
    parts = [(one[a:b], other[c:d]) for how, a, b, c, d in matcher.get_opcodes() if how != "equal"]
    mine, theirs = ({w for part in parts for w in part[side] if w not in STOPWORDS} for side in (0, 1))
    mine, theirs = mine - set(other) - VAGUE, theirs - set(one) - VAGUE
    if not (0 < len(mine) <= LONGEST_SWAP and 0 < len(theirs) <= LONGEST_SWAP):
        return False
    return not any(_is_same_term(x, y) for x in mine for y in theirs)


@lru_cache(maxsize=16384)
def _is_same_term(one: str, other: str) -> bool:
    letters = SequenceMatcher(None, one, other).ratio()
    return letters >= SPELT_ALIKE or any(one in g and other in g for g in SAME)
