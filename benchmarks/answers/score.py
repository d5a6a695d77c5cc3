"""Compares a reply with the facts of the gold answer; the same verdicts as the script that comes with the help centres.

The facts are groups of regular expressions. A group is met when one of them is found in the reply, as it is or without
Markdown, HTML tags and typographic signs. A reply is *right* when it was answered, every group is met, and nothing is
found that a right reply never says. A reply that names alternatives has the outcome "suggested"; where it is wrong, it is
*wrong_hedged*.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal[
    "right",
    "partly",
    "wrong",
    "wrong_hedged",
    "list",
    "unknown_wrong",
    "other",
    "unknown_right",
    "answered_unanswerable",
    "hedged_unanswerable",
    "list_unanswerable",
    "other_unanswerable",
]
GIVEN = ("answered", "suggested")
SHOWN_WITH: tuple[Verdict, ...] = ("list", "partly", "wrong_hedged")
"""What may still show the right entry among its choices."""
ANGRY = "angry"
"""The style of questions that are asked in anger."""
ALIKE = 0.6
"""Shared words of all words, from which a choice names a heading."""
PLAIN = str.maketrans("\u2018\u2019\u201c\u201d\u00a0\u202f\u2009", "''\"\"   ", "\u200b") | dict.fromkeys(
    map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-"
)
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
EMPHASIS = re.compile(r"[*_`]+")
TAG = re.compile(r"<[^<>]{1,300}>")


@dataclass(frozen=True)
class Case:
    """A question with what a right reply says; ``facts`` without ``expects_answer`` are what stands beside the point."""

    id: str
    turns: tuple[tuple[str, str], ...]
    expects_answer: bool
    facts: tuple[tuple[str, ...], ...] = ()
    never: tuple[str, ...] = ()
    heading: str = ""
    quote: str = ""
    style: str = ""
    group: str = ""
    """Questions of one group (a contrast pair) are never split."""

    @classmethod
    def of(cls, row: dict[str, Any]) -> Case:
        """From a line of a question file."""
        turns = tuple((turn["speaker"], turn["text"]) for turn in row["turns"])
        return cls(
            id=str(row["id"]),
            turns=turns,
            expects_answer=row["expect"] == "answer",
            facts=tuple(map(tuple, row.get("facts") or ())),
            never=tuple(row.get("never") or ()),
            heading=row.get("heading") or "",
            quote=row.get("quote") or "",
            style=row.get("style") or ("follow-up" if len(turns) > 1 else "single"),
            group=str(row.get("pair") or row["id"]),
        )

    @property
    def text(self) -> str:
        """What is asked."""
        return self.turns[-1][1]


@dataclass(frozen=True)
class Reply:
    """What came: ``outcome`` as it is stored with the turn, ``choices`` the titles of the buttons."""

    text: str
    outcome: str
    choices: tuple[str, ...] = ()
    skill: str = ""
    """The skill that acted, where it was not the knowledge."""
    entries: tuple[str, ...] = ()
    milliseconds: float = 0.0


def verdict(case: Case, reply: Reply) -> Verdict:
    """What the reply is worth."""
    met, never = facts_met(case, reply.text)
    whole = met == len(case.facts) and not never
    return _answerable(reply.outcome, met, whole, never) if case.expects_answer else _unanswerable(case, reply, whole)


def _answerable(outcome: str, met: int, whole: bool, never: bool) -> Verdict:
    if outcome in GIVEN:
        if never or not met:
            return "wrong" if outcome == "answered" else "wrong_hedged"
        return "right" if whole else "partly"
    return {"clarified": "list", "unknown": "unknown_wrong"}.get(outcome, "other")  # type: ignore[return-value]


def _unanswerable(case: Case, reply: Reply, whole: bool) -> Verdict:
    if reply.outcome == "unknown" or (reply.outcome in GIVEN and case.facts and whole):
        return "unknown_right"
    given: dict[str, Verdict] = {
        "clarified": "list_unanswerable",
        "answered": "answered_unanswerable",
        "suggested": "hedged_unanswerable",
    }
    return given.get(reply.outcome, "other_unanswerable")


def facts_met(case: Case, text: str) -> tuple[int, bool]:
    """How many groups of facts the text meets, and whether it says what a right one never says."""
    forms = (squeezed(text), squeezed(text.translate(PLAIN)), plain(text))
    return sum(_found(group, forms) for group in case.facts), _found(case.never, forms)


def shows(case: Case, reply: Reply) -> bool:
    """Does one of the choices name the section or question that answers?"""
    heading = _words(case.heading)
    return bool(heading) and any(_names(_words(choice), heading) for choice in reply.choices)


def is_shown(case: Case, reply: Reply) -> bool:
    """Not right, but the right one can be chosen."""
    return verdict(case, reply) in SHOWN_WITH and shows(case, reply)


def is_captured(case: Case, reply: Reply) -> bool:
    """Did something other than the knowledge take the message? That an angry one is passed on to a person is meant."""
    if is_called_for(case, reply):
        return False
    return bool(reply.skill) or reply.outcome not in {*GIVEN, "clarified", "unknown"}


def is_called_for(case: Case, reply: Reply) -> bool:
    """Was an angry message passed on to a person?"""
    return case.style == ANGRY and reply.outcome == "handoff"


def squeezed(text: str) -> str:
    """Every white space one blank."""
    return re.sub(r"\s+", " ", text.replace("\u00a0", " ")).strip()


def plain(text: str) -> str:
    """Without Markdown, tags and typographic signs."""
    text = EMPHASIS.sub("", LINK.sub(r"\1", text))
    return squeezed(html.unescape(TAG.sub(" ", text)).translate(PLAIN))


def _found(patterns: Iterable[str], forms: Iterable[str]) -> bool:
    return any(re.search(pattern, form, re.IGNORECASE) for pattern in patterns for form in forms)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", plain(text).lower()))


def _names(choice: set[str], heading: set[str]) -> bool:
    return bool(choice) and (heading <= choice or len(heading & choice) / len(heading | choice) >= ALIKE)
