"""The reasons for an answer: what was found, what a guard stopped, and the rule that decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from knowledge.answers.reuse.decision import ReuseDecision
from knowledge.relevance.bars import Bars
from knowledge.relevance.matcher import Match
from knowledge.relevance.ranker import Ranking
from knowledge.types import Answer, AnswerPart, Candidate, Entry, Question

Guard = Literal["subject", "contradiction"]
"""``subject``: about another subject than the conversation. ``contradiction``: different numbers or an opposite."""
Rule = Literal["nothing", "exact", "reused", "talk", "ranking"]
"""The rule that decided: no words, an exact match, reuse, a match learnt from a conversation, or the ranking."""


@dataclass(frozen=True)
class Exact:
    """The entries that match the question word for word, and the one to send."""

    same: tuple[Entry, ...] = ()
    chosen: Entry | None = None

    @property
    def is_ambiguous(self) -> bool:
        """Whether their answers differ."""
        return len({each.answer for each in self.same}) > 1


@dataclass(frozen=True)
class Guarded:
    """A match stopped by a guard."""

    match: Match
    guard: Guard


@dataclass(frozen=True)
class Talk:
    """The best match learnt from conversations, with its probability including its twins."""

    match: Match
    probability: float


@dataclass(frozen=True)
class Reasons:
    """Reasons for one part of a message; fields the rule did not need are empty unless an explanation was requested."""

    asked: Question
    """The part with its history."""
    part: AnswerPart
    """The answer to the part."""
    texts: tuple[str, ...] = ()
    """The queries used for retrieval."""
    found: tuple[Candidate, ...] = ()
    rule: Rule = "nothing"
    exact: Exact = Exact()
    matches: tuple[Match, ...] = ()
    guarded: tuple[Guarded, ...] = ()
    reuse: ReuseDecision = field(default_factory=lambda: ReuseDecision("no"))
    talk: Talk | None = None
    talked: float = 0.0
    """Minimum probability for sending ``talk``."""
    ranking: Ranking | None = None
    bars: Bars | None = None
    near: float = 0.0
    """Minimum cosine for an entry to count as near."""
    read_as: str = ""
    """The whole message with typos corrected, if any; only set for the first part."""

    @property
    def held_out(self) -> Candidate | None:
        """The candidate held out to measure its worth."""
        return self.matches[0].candidate if self.reuse.verdict == "held_out" else None

    @property
    def usable(self) -> tuple[Candidate, ...]:
        """The retrieved candidates without the one held out."""
        return tuple(c for c in self.found if c is not self.held_out)

    @property
    def usable_matches(self) -> tuple[Match, ...]:
        """The matches without the one held out."""
        return tuple(m for m in self.matches if m.candidate is not self.held_out)


@dataclass(frozen=True)
class Explanation:
    """An answer with its reasons, part by part."""

    question: Question
    answer: Answer
    reasons: tuple[Reasons, ...]
