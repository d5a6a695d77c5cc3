# ruff: noqa: RUF001 -- people type these signs
"""Rules for English: what a customer asks, and whether others may ask it too."""

from __future__ import annotations

import re

from knowledge.curation.harvest.privacy import Setting, find_personal_detail, masked_before, to_a_machine
from knowledge.curation.harvest.temporal import MOMENT
from knowledge.curation.harvest.vocabulary import find_links
from knowledge.text.features import content_words
from knowledge.text.question_splitter import ASKS
from knowledge.text.topic import CONTINUES

_I = re.IGNORECASE
FEWEST_ASKED = 5
"""The minimum number of words of a question without a question word at its beginning."""
FEWEST_WORDS = 2
"""The minimum number of content words of a question."""
_WANTS = re.compile(
    r"^(?:please )?(?:i (?:need|want|would like|wish)|i(?:'|’)d like|how to|trying to|is there|are there|any way)\b",
    re.IGNORECASE,
)
_POINTS = re.compile(
    r"\b(?:it|its|it's|they|them|their|that|this|these|those|he|she|him|her|his|ones?|same|(?<!is )(?<!are )(?<!be )there)\b",
    re.IGNORECASE,
)
_MY_CASE = re.compile(
    r"\bi(?:'ve|’ve| have|'d|’d| had)? (?:just |already |only |still |never |recently )?(?:ordered|bought|paid|sent|was|got|had|been|received|did|didn't|booked|called|placed|returned|cancelled|changed|lost|left|forgot|flew|missed|purchased|told|asked|made|signed|tried|saw|checked|ended|went|haven't|found|spent|waited|applied)\b"
    r"|\b(?:my|our|his|her) (?:\w+ ){{0,2}}(?:is|was|has|have|hasn't|haven't|isn't|are|were|didn't|never|still|got|says?|won't|wouldn't|keeps?|just|arrived|came|'s|’s)\b"
    r"|\bwhere(?:'s|’s| is| are|s)? (?:is )?(?:my|our)\b|\b(?:wtf|fuck\w*|shit\w*|sucks?|ridiculous|terrible|worst|pathetic|joke|incompetent|useless|awful|disgust\w*|horrible|unacceptable|hell|damn|stupid|idiot\w*|crap|shame|smh|seriously)\b"
    r"|\bwhy (?:did|didn't|was|were|is my|are my|has|have|am i|is our|do i have to|does it take|are you|do you (?:guys )?(?:keep|make|hate|have))\b|\bdid (?:you|i|we|my|the|it)\b|\b(?:we're|i'm|im|we are|i am|i’m) \w+ing\b|\bwas (?:there|it|my|the|that|this)\b|\bwere (?:you|there|we|they)\b",
    _I,
)
_MY_CASE_TOO = re.compile(
    r"\b(?:contact|put|bump|get|give|send|call|credit|refund|rebook|move|switch|upgrade|seat|dm|explain to|update|charge) (?:me|us)\b|\b(?:like|want|need|got|fix|find|resolve|change|open|unlock|restore|check|see) (?:my|our|this|these)\b|"
    r"\b(?:been|for|in|over|after|since) (?:\d+|two|three|four|a|over|the past|almost) (?:\w+ )?(?:minutes|mins|hours|hrs|days|weeks|months|years)\b|\b(?:our|my) (?:\w+ )?(?:flight|order|bag|bags|luggage|plane|gate)\b|\bany (?:chance|word|update|news|idea)\b|\bat gate\b|^(?:are|is) (?:y'all|you|u|y’all)\b",
    _I,
)
_VAGUE = frozenset(
    w[:6]
    for w in [
        "help",
        "assist",
        "question",
        "questions",
        "issue",
        "problem",
        "info",
        "information",
        "support",
        "someone",
        "anyone",
        "somebody",
        "talk",
        "speak",
        "ask",
        "know",
        "tell",
        "happening",
        "going",
        "wrong",
        "please",
        "need",
        "want",
        "answer",
        "fix",
        "this",
        "guys",
        "really",
        "think",
        "like",
    ]
)


_SHOUTED = re.compile(r"[?!]\s*[?!]|#|\b[A-Z]{4,} [A-Z]{3,}\b")


def is_question_or_wish(sentence: str) -> bool:
    """Whether a sentence is a question or a wish."""
    return bool(
        ASKS.match(sentence)
        or _WANTS.match(sentence)
        or (sentence.endswith("?") and len(sentence.split()) >= FEWEST_ASKED)
    )


def needs_context(sentence: str) -> bool:
    """Whether a sentence refers to something outside of it ("does it ...", "and there?")."""
    return bool(_POINTS.search(sentence))


def stands_alone(question: str) -> bool:
    """Whether everything that a question refers to is in the question itself."""
    match = _POINTS.search(question)
    if match is None:
        return not CONTINUES.match(question)
    return bool(match and len(content_words(question[: match.start()])) >= FEWEST_WORDS)


def not_askable(question: str, setting: Setting) -> str | None:
    """Return why others would not ask this question, or None if they may."""
    if len(content_words(question) - _VAGUE) < FEWEST_WORDS:
        return "asks nothing"
    if masked_before(question) or find_links(question):
        return "masked before"
    if (
        _MY_CASE.search(question)
        or _MY_CASE_TOO.search(question)
        or _SHOUTED.search(question)
        or MOMENT.search(question)
    ):
        return "one customer's case"
    if to_a_machine(question):
        return "gives orders"
    return find_personal_detail(question, setting)
