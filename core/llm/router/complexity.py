"""Scores the complexity of a question from 0 to 1, without a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.llm.types import RequestSignals

WEIGHTS: Mapping[str, float] = {
    "history": 0.10,
    "length": 0.15,
    "keywords": 0.25,
    "questions": 0.15,
    "comparison": 0.10,
    "negation": 0.05,
    "numbers": 0.05,
    "retrieval": 0.15,
}
"""Maximum share of each part; together 1. Keywords weigh most, then length, number of questions and poor evidence."""
LONG_HISTORY = 10
"""Number of turns at which the history part is at its maximum."""
LONG_MESSAGE = 60
"""Number of words at which the length part is at its maximum."""
MANY_KEYWORDS = 2
MANY_QUESTIONS = 3
MANY_NUMBERS = 3
KEYWORDS = re.compile(
    r"\b(why|explain|analy[sz]e|calculate|how (?:exactly|come)|step by step|in detail|reasons?|consequences?|implications?|"
    r"eligib\w+|depends?|if .{3,80}? (?:then|what|would|can|do|does|is)|what happens (?:if|when)|troubleshoot\w*|"
    r"dispute\w*|legal\w*|contract\w*|terms|regulations?|liab\w+|warum|erkl[äa]r\w+|pourquoi|expliqu\w+|por qu[eé]|explica\w*)\b",
    re.IGNORECASE,
)
COMPARISON = re.compile(
    r"\b(compare\w*|versus|vs|differen(?:ce|t)\w*|better|best|cheaper|faster|instead of|rather than|or|both|"
    r"unterschied\w*|besser|diff[ée]rence\w*|mieux|diferencia\w*|mejor)\b",
    re.IGNORECASE,
)
NEGATION = re.compile(
    r"\b(not|no|never|without|except|unless|neither|nor|cannot|nicht|kein\w*|ohne|ne|pas|sans|sin)\b|n['’]t\b",  # noqa: RUF001
    re.IGNORECASE,
)
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
ASKED = re.compile(r"[?؟？]+")  # noqa: RUF001 - full-width question marks are what some customers type
UNKNOWN_RETRIEVAL = 0.5


@dataclass(frozen=True)
class Complexity:
    """The score, and the contribution of each part."""

    score: float
    parts: dict[str, float] = field(default_factory=dict)


def complexity_of(signals: RequestSignals) -> Complexity:
    """Score a request: 0 (plain) to 1 (hard)."""
    question = signals.question
    confidence = signals.retrieval_confidence
    shares = {
        "history": signals.history_turns / LONG_HISTORY,
        "length": len(question.split()) / LONG_MESSAGE,
        "keywords": len(KEYWORDS.findall(question)) / MANY_KEYWORDS,
        "questions": (len(ASKED.findall(question)) - 1) / (MANY_QUESTIONS - 1),
        "comparison": 1.0 if COMPARISON.search(question) else 0.0,
        "negation": 1.0 if NEGATION.search(question) else 0.0,
        "numbers": len(NUMBER.findall(question)) / MANY_NUMBERS,
        "retrieval": UNKNOWN_RETRIEVAL if confidence is None else 1 - confidence,
    }
    parts = {name: round(WEIGHTS[name] * min(max(share, 0.0), 1.0), 4) for name, share in shares.items()}
    return Complexity(round(sum(parts.values()), 4), parts)
