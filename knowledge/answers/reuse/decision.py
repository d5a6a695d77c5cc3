"""Decides whether the best match's approved answer may be sent verbatim, and records the observation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.db import Database
from core.feedback import settings as learning
from core.feedback.settings import Learning
from knowledge.answers.reuse import observations
from knowledge.answers.reuse.bound import Experience, JudgedUse, ReuseBound
from knowledge.answers.reuse.contrast_guards import Difference, find_difference
from knowledge.answers.reuse.holdout import is_held_out
from knowledge.answers.reuse.score import Closeness
from knowledge.relevance.matcher import Match
from knowledge.types import Question

log = structlog.get_logger()

NEAR = 0.3
"""Minimum score for a match below its bound to get a second look."""

FRESH_SECONDS = 60.0
"""How long a tenant's experience is cached."""

Verdict = Literal["verbatim", "held_out", "near", "no"]


@dataclass(frozen=True)
class ReuseDecision:
    """The decision about the best match."""

    verdict: Verdict
    score: float = 0.0
    bound: float | None = None
    """The score it needs; None if not computed."""
    guard: Difference | Literal["subject"] | None = None
    """The guard that forbids reuse at any score."""


@dataclass(frozen=True)
class KnownPhrasing:
    """The tenant's settings and experience, and the entry's judged uses."""

    settings: Learning
    seen: Sequence[JudgedUse] = ()
    experience: Experience = field(default_factory=Experience)

    @property
    def is_distrusted(self) -> bool:
        """Whether it was judged wrong more than once and more often than right."""
        wrong = sum(not each.correct for each in self.seen)
        return wrong > 1 and 2 * wrong > len(self.seen)


class ReuseStore(Protocol):
    """Stores observations of reuse."""

    def known(self, tenant_id: str, entry_id: str) -> KnownPhrasing:
        """Return what is known about an entry before reuse."""

    def note(self, question: Question, entry_id: str, decision: ReuseDecision) -> None:
        """Record that a question matched an entry."""

    def confirm(self, question: Question, entry_id: str) -> None:
        """Record that a question was an exact match of an entry."""


class EmptyBook:
    """Stores nothing; used in tests and outside conversations."""

    def known(self, tenant_id: str, entry_id: str) -> KnownPhrasing:  # noqa: ARG002
        return KnownPhrasing(Learning())

    def note(self, question: Question, entry_id: str, decision: ReuseDecision) -> None: ...

    def confirm(self, question: Question, entry_id: str) -> None: ...


class SqlReuseStore:
    """Stores observations in the database; a failed write never fails an answer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._learnt: dict[str, tuple[float, Experience]] = {}

    def known(self, tenant_id: str, entry_id: str) -> KnownPhrasing:
        """Return what is known about an entry before reuse."""
        with self._database.session() as session:
            seen = observations.list_judged_scores(session, tenant_id, entry_id)
            return KnownPhrasing(
                learning.get_learning_settings(session, tenant_id), seen, self._get_experience(session, tenant_id)
            )

    def _get_experience(self, session: Session, tenant_id: str) -> Experience:
        """Return the tenant's experience, reloaded at most once a minute."""
        learnt, experience = self._learnt.get(tenant_id, (-FRESH_SECONDS, Experience()))
        if monotonic() - learnt >= FRESH_SECONDS:
            experience = observations.load_experience(session, tenant_id)
            self._learnt[tenant_id] = monotonic(), experience
        return experience

    def note(self, question: Question, entry_id: str, decision: ReuseDecision) -> None:
        """Record a customer's question; a trial has no turn and is skipped."""
        turn_id = question.turn_id
        if turn_id is None:
            return
        reused, held_out = decision.verdict == "verbatim", decision.verdict == "held_out"
        self._run_write(
            lambda session: observations.record_observation(
                session,
                question.tenant_id,
                entry_id,
                turn_id=turn_id,
                text=question.text,
                score=decision.score,
                reused=reused,
                held_out=held_out,
            )
        )

    def confirm(self, question: Question, entry_id: str) -> None:
        """Confirm that the previous turn's near miss meant this entry."""
        turn_id = question.turn_id
        if turn_id is not None and question.history:
            self._run_write(lambda session: observations.confirm_entry(session, turn_id, entry_id))

    def _run_write(self, write: _Write) -> None:
        try:
            with self._database.session() as session:
                write(session)
        except SQLAlchemyError as error:
            log.warning("reuse was not noted", error=str(error))


class _Write(Protocol):
    def __call__(self, session: Session, /) -> object: ...


class Reuse:
    """Applies the guards, then the entry's learnt bound, then the holdout."""

    def __init__(self, closeness: Closeness, bound: ReuseBound, book: ReuseStore | None = None) -> None:
        self.book: ReuseStore = book or EmptyBook()
        self._closeness = closeness
        self._bound = bound

    @classmethod
    def shipped(cls, book: ReuseStore | None = None) -> Reuse:
        """Create it with the shipped weights."""
        return cls(Closeness(), ReuseBound.shipped(), book)

    def decide(self, question: Question, ranked: Sequence[Match]) -> ReuseDecision:
        """Decide what to do with the first match; recorded if a customer asked."""
        if not ranked:
            return ReuseDecision("no")
        entry = ranked[0].candidate.entry
        decision = self._decide_reuse(question, ranked)
        if decision.verdict != "no":
            self.book.note(question, entry.id, decision)
        return decision

    def is_distrusted(self, tenant_id: str, entry_id: str) -> bool:
        """Whether customers' judgements allow the entry only to be offered."""
        return self.book.known(tenant_id, entry_id).is_distrusted

    def _decide_reuse(self, question: Question, ranked: Sequence[Match]) -> ReuseDecision:
        best = ranked[0]
        entry = best.candidate.entry
        own = (best.phrasing, *entry.questions)
        apart = find_difference(question.text, own, entry.language, entry.subject)
        if best.standing == "other" or apart:
            return ReuseDecision("no", guard=apart or "subject")
        score = self._closeness.score(question, ranked)
        if score < NEAR:
            return ReuseDecision("no", score)
        known = self.book.known(question.tenant_id, entry.id)
        bound = self._bound.needed(known.seen, known.settings.reuse_error, known.experience)
        if score < bound:
            return ReuseDecision("near", score, bound)
        held_out = question.conversation_id and is_held_out(question.conversation_id, entry.id, known.settings.hold_out)
        return ReuseDecision("held_out" if held_out else "verbatim", score, bound)
