"""Why a question is answered as it is: what was found, what stopped an entry, and the rule that decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from knowledge.answers.reuse.decision import ReuseDecision
from knowledge.relevance.bars import Bars
from knowledge.relevance.matcher import Match
from knowledge.relevance.ranker import Ranking
from knowledge.types import Answer, AnswerPart, Candidate, Entry, Question

Guard = Literal["subject", "contradiction"]
"""``subject``: it is about another thing than the conversation. ``contradiction``: numbers differ, or an opposite."""
Rule = Literal["nothing", "exact", "reused", "talk", "ranking"]
"""What decided: there was nothing to answer, the own words of an entry, a reuse of its answer, what was learnt from talk,
or the ranking."""


@dataclass(frozen=True)
class Exact:
    """The entries that have the question in its own words, and the one that is sent for it."""

    same: tuple[Entry, ...] = ()
    chosen: Entry | None = None

    @property
    def is_ambiguous(self) -> bool:
        """Do they answer it differently?"""
        return len({each.answer for each in self.same}) > 1


@dataclass(frozen=True)
class Guarded:
    """A match that may not be used."""

    match: Match
    guard: Guard


@dataclass(frozen=True)
class Talk:
    """The best match of what was learnt from conversations, with its probability and that of its twins together."""

    match: Match
    probability: float


@dataclass(frozen=True)
class Reasons:
    """How one part of a message was decided about; what the rule did not need is empty, unless it was to be explained."""

    asked: Question
    """The part with what was said before it."""
    part: AnswerPart
    """Its answer."""
    texts: tuple[str, ...] = ()
    """What was looked up."""
    found: tuple[Candidate, ...] = ()
    rule: Rule = "nothing"
    exact: Exact = Exact()
    matches: tuple[Match, ...] = ()
    guarded: tuple[Guarded, ...] = ()
    reuse: ReuseDecision = field(default_factory=lambda: ReuseDecision("no"))
    talk: Talk | None = None
    talked: float = 0.0
    """The probability from which it is sent."""
    ranking: Ranking | None = None
    bars: Bars | None = None
    near: float = 0.0
    """The cosine from which an entry counts as near."""
    read_as: str = ""
    """The whole message as it was read, where something in it was mistyped; with its first part."""

    @property
    def held_out(self) -> Candidate | None:
        """What is held back, to measure what it is worth."""
        return self.matches[0].candidate if self.reuse.verdict == "held_out" else None

    @property
    def usable(self) -> tuple[Candidate, ...]:
        """What was found, without what is held back."""
        return tuple(c for c in self.found if c is not self.held_out)

    @property
    def usable_matches(self) -> tuple[Match, ...]:
        """The matches, without what is held back."""
        return tuple(m for m in self.matches if m.candidate is not self.held_out)


@dataclass(frozen=True)
class Explanation:
    """An answer with its reasons, part by part."""

    question: Question
    answer: Answer
    reasons: tuple[Reasons, ...]
