"""What a turn is about: the subject named in a conversation, and a question made whole from the turns before it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from knowledge.text.names import SERVICES, matches_name, names_in
from knowledge.types import Question, Utterance

Standing = Literal["same", "older", "other", "unnamed", "general"]
STANDINGS: tuple[Standing, ...] = ("same", "older", "other", "unnamed", "general")
REMEMBERED_TURNS = 6
"""Names said longer ago than this are no subject any more."""
LAST_TURN = 160
LONGEST_FRAGMENT = 6
"""Words of a turn such as "and to France?" at most."""
SHORT = 3
"""Words of a message that hardly says anything without the turns before it ("until when?")."""
LEANT_ON = 2
"""Turns of the customer that one may lean on, each on the one before it."""
ANSWER_AND_QUESTION = 2
"""The last turns, whose names count most."""
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
EXPLETIVE = re.compile(r"\b(?:is|are|was|were) (?:there|it)\b|\bthere(?:'s| is| are)\b", re.IGNORECASE)
"""What points to nothing: "is there parking"."""
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
    r"\b(?:the )?(first|second|third|fourth|fifth|last|latter|former|other)(?: (?:one|option))?\b", re.IGNORECASE
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
            said = next((k for k in scores if matches_name(k, name) or matches_name(name, k)), None)
            before = scores.pop(said, 0.0) if said else 0.0
            best = max((name, said or ""), key=lambda n: (n in lexicon, len(n)))
            scores[best] = (
                before + (0.4 if before else 6.0 / (2 + age) + 0.4 * (" " in name)) + (age < ANSWER_AND_QUESTION)
            )
    return max(scores, key=lambda name: scores[name]) if scores else None


def subjects_of(conversations: Sequence[Sequence[Utterance]], known: Iterable[str] = ()) -> list[str | None]:
    """The subject of each conversation, where a name that several of them share counts in any spelling."""
    first = Counter(subject for turns in conversations if (subject := subject_of(turns)))
    lexicon = list(known)
    for name, count in first.most_common():
        if count > 1 and not any(matches_name(k, name) and matches_name(name, k) for k in lexicon):
            lexicon.append(name)
    return [subject_of(turns, lexicon) for turns in conversations]


def get_subject_standing(subject: str | None, question: Question, rivals: Sequence[str] = ()) -> Standing:
    """How one entry's subject stands to what is being talked about now; ``rivals`` are other known subjects."""
    return compute_standings([*rivals, *([subject] if subject else [])], question)[subject]


def compute_standings(subjects: Iterable[str], question: Question) -> dict[str | None, Standing]:
    """How each subject stands to what is being talked about now; None is an entry without a subject."""
    known = list(dict.fromkeys(subjects))
    of_a_venue = bool(VENUE.search(question.text))
    found: dict[str | None, Standing] = {s: "other" for s in known if of_a_venue and s in SERVICES}
    said: set[str] = set()
    for text in _newest_first(question):
        here = [n for n in _all_names(text, known) if not (of_a_venue and n in SERVICES)]
        for subject in here:
            if subject in known and subject not in found:
                found[subject] = "older" if _is_ruled_out(subject, said) else "same"
        said.update(here)
    left: dict[str | None, Standing] = {s: "other" if _is_ruled_out(s, said) else "unnamed" for s in known}
    return {None: "general", **left, **found}


def current_name(question: Question) -> str | None:
    """The name said last, in the question or before it."""
    for text in _newest_first(question):
        found = names_in(text)
        if found:
            return found[-1]
    return None


def resolve_references(question: Question) -> str:
    """The question made whole: what it refers to is added from the turns before it."""
    if not question.history:
        return question.text
    choice = _chosen_item(question)
    if choice:
        return f"{_last_customer_text(question)} {choice} {question.text}".strip()
    if _is_fragment(question.text):
        return f"{_last_customer_text(question)} {question.text}".strip()
    name = current_name(question)
    if name and not matches_name(question.text, name):
        return f"{question.text} {name}"
    return question.text


def made_whole(question: Question) -> str:
    """A question that leans on the turns before it, after what the customer said there ("Is it free to Spain? and how long").

    What got no answer in the talk, such as what a skill did, is not leant on.
    """
    turns = zip(question.history, question.history[1:], strict=False)
    said = [turn.text for turn, then in turns if turn.speaker == "customer" != then.speaker]
    whole = last = question.text
    for before in reversed(said[-LEANT_ON:]):
        if not needs_previous_turns(last):
            break
        whole, last = f"{before} {whole}", before
    return whole


def needs_previous_turns(text: str) -> bool:
    """Does a turn say so little that it leans on those before it ("until when?", "and to Spain?", "how much is it")?"""
    length = len(text.split())
    return length <= SHORT or (length <= LONGEST_FRAGMENT and is_dependent(EXPLETIVE.sub("", text)))


def with_last_turn(question: Question) -> str:
    """The question with what was said to the customer before it, where names may stand without capitals."""
    said = next((t.text for t in reversed(question.history) if t.speaker != "customer"), "")
    return f"{question.text} {said[:LAST_TURN]}".strip()


def with_turns(question: Question) -> str:
    """The question after the last thing each side said."""
    said = [turn.text[:LAST_TURN] for turn in question.history[-ANSWER_AND_QUESTION:]]
    return " ".join([*said, question.text])


def is_dependent(text: str) -> bool:
    """Whether a turn needs the turns before it to be understood ("do they...", "and for the second one?")."""
    return bool(PRONOUN.search(text) or _is_fragment(text) or ORDINAL.search(text))


def _is_ruled_out(subject: str, said: Iterable[str]) -> bool:
    """Whether what was named leaves no room for a subject; "a yellow Lexus" may well be the taxi."""
    return any(subject not in SERVICES or name in SERVICES for name in said)


def _all_names(text: str, known: Sequence[str], *, without_services: bool = False) -> list[str]:
    found = [name for name in known if matches_name(text, name)]
    found += [n for n in names_in(text) if not any(matches_name(n, f) or matches_name(f, n) for f in found)]
    return [n for n in found if not (without_services and n in SERVICES)]


def _newest_first(question: Question) -> Iterable[str]:
    yield question.text
    for turn in reversed(question.history):
        yield turn.text


def _last_customer_text(question: Question) -> str:
    return next((t.text for t in reversed(question.history) if t.speaker == "customer"), "")


def _is_fragment(text: str) -> bool:
    return bool(CONTINUES.match(text)) and len(text.split()) <= LONGEST_FRAGMENT


def _chosen_item(question: Question) -> str | None:
    picked = ORDINAL.search(question.text)
    offered = next((t.text for t in reversed(question.history) if t.speaker != "customer"), "")
    items = [i.strip() for i in ITEM.findall(offered)] if picked else []
    position = ORDINALS[picked.group(1).lower()] if picked else 0
    return items[position] if -len(items) <= position < len(items) else None
