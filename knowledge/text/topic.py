"""Finds the subject of a conversation, and completes a question from the preceding turns."""

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
"""Names mentioned before these turns are no longer a subject."""
LAST_TURN = 160
LONGEST_FRAGMENT = 6
"""Maximum words of a fragment such as "and to France?"."""
SHORT = 3
"""Maximum words of a message that depends on the preceding turns ("until when?")."""
LEANT_ON = 2
"""Maximum number of customer turns in a chain of follow-ups."""
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
"""Pronouns that refer to nothing: "is there parking"."""
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
    """Return the named thing that a conversation's last question is about, or None.

    The turns end with the answer. Frequent and recent names win. Names in ``known`` count in any spelling, for example
    the subjects of a first pass over all conversations, since people write "the acorn" without capitals.
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
    """Return the subject of each conversation; a name shared by several of them counts in any spelling."""
    first = Counter(subject for turns in conversations if (subject := subject_of(turns)))
    lexicon = list(known)
    for name, count in first.most_common():
        if count > 1 and not any(matches_name(k, name) and matches_name(name, k) for k in lexicon):
            lexicon.append(name)
    return [subject_of(turns, lexicon) for turns in conversations]


def get_subject_standing(subject: str | None, question: Question, rivals: Sequence[str] = ()) -> Standing:
    """Return the standing of one subject in the conversation; ``rivals`` are other known subjects."""
    return compute_standings([*rivals, *([subject] if subject else [])], question)[subject]


def compute_standings(subjects: Iterable[str], question: Question) -> dict[str | None, Standing]:
    """Return the standing of each subject in the conversation; the key None is for entries without a subject."""
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
    """Return the most recent name in the question or its history."""
    for text in _newest_first(question):
        found = names_in(text)
        if found:
            return found[-1]
    return None


def resolve_references(question: Question) -> str:
    """Add what the question refers to from the preceding turns."""
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
    """Prepend the customer's previous turns to a follow-up question ("Is it free to Spain? and how long").

    A turn that got no answer in the conversation, for example one handled by a skill, is skipped.
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
    """Whether a turn is too short to stand alone ("until when?", "and to Spain?", "how much is it")."""
    length = len(text.split())
    return length <= SHORT or (length <= LONGEST_FRAGMENT and is_dependent(EXPLETIVE.sub("", text)))


def with_last_turn(question: Question) -> str:
    """Append the last reply to the question, since it may contain names without capitals."""
    said = next((t.text for t in reversed(question.history) if t.speaker != "customer"), "")
    return f"{question.text} {said[:LAST_TURN]}".strip()


def with_turns(question: Question) -> str:
    """Prepend each side's last turn to the question."""
    said = [turn.text[:LAST_TURN] for turn in question.history[-ANSWER_AND_QUESTION:]]
    return " ".join([*said, question.text])


def is_dependent(text: str) -> bool:
    """Whether a turn needs the preceding turns to be understood ("do they...", "and for the second one?")."""
    return bool(PRONOUN.search(text) or _is_fragment(text) or ORDINAL.search(text))


def _is_ruled_out(subject: str, said: Iterable[str]) -> bool:
    """Whether the mentioned names rule out a subject; "a yellow Lexus" may well be the taxi."""
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
