"""Looks up the answer to a message before a skill may act, and keeps it for the action that sends it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

import structlog

from core.conversations.knowledge_lookup import Asked, KnowledgeMatch, Level
from core.db import Database
from core.errors import KnowledgeUnavailable
from knowledge.answers.citations import without_marks
from knowledge.answers.decision import build_verbatim_part, merge_answer_parts
from knowledge.answers.reuse.decision import KnownPhrasing, ReuseDecision, ReuseStore
from knowledge.entries import editor
from knowledge.types import SPEAKERS, Answer, AnswerPart, Question, Utterance

log = structlog.get_logger()

KEPT_SECONDS = 60.0
KEPT = 500
LEVELS: tuple[Level, ...] = ("none", "unsure", "probable", "sure", "exact")
"""Ordered from the weakest."""
_OF_OUTCOME: dict[str, Level] = {
    "answered": "sure",
    "suggested": "probable",
    "clarified": "unsure",
    "unknown": "none",
}
_Key = tuple[str, str | None, str, str]


class AnswerDecider(Protocol):
    """Answers questions like ``Answering`` does."""

    def answer(self, question: Question) -> Answer:
        """Answer a customer's question.

        Raises:
            KnowledgeUnavailable: the index cannot be reached.
        """


class DeferredReuseStore:
    """Writes reuse observations only when the answer is sent, so a message handled by a skill leaves none."""

    def __init__(self, book: ReuseStore) -> None:
        self._book = book
        self._local = threading.local()

    @contextmanager
    def held(self) -> Iterator[list[Callable[[], None]]]:
        """Collect this thread's writes instead of running them."""
        held: list[Callable[[], None]] = []
        self._local.held = held
        try:
            yield held
        finally:
            self._local.held = None

    def known(self, tenant_id: str, entry_id: str) -> KnownPhrasing:
        """Return what the wrapped store knows."""
        return self._book.known(tenant_id, entry_id)

    def note(self, question: Question, entry_id: str, decision: ReuseDecision) -> None:
        """Record that a question matched an entry."""
        self._defer_write(lambda: self._book.note(question, entry_id, decision))

    def confirm(self, question: Question, entry_id: str) -> None:
        """Record that a question was an exact match of an entry."""
        self._defer_write(lambda: self._book.confirm(question, entry_id))

    def _defer_write(self, write: Callable[[], None]) -> None:
        held: list[Callable[[], None]] | None = getattr(self._local, "held", None)
        write() if held is None else held.append(write)


@dataclass
class _Found:
    answer: Answer
    until: float
    unwritten: list[Callable[[], None]] = field(default_factory=list)


class Lookup:
    """Matches and answers questions; the answer to a turn is computed once."""

    def __init__(self, answers: AnswerDecider, database: Database, book: DeferredReuseStore) -> None:
        self._answers = answers
        self._database = database
        self._book = book
        self._kept: OrderedDict[_Key, _Found] = OrderedDict()
        self._lock = threading.Lock()

    def match(self, asked: Asked) -> KnowledgeMatch | None:
        """Match a message and keep its answer for ``answer``; None if the index cannot be reached."""
        question = _build_question(asked)
        try:
            with self._book.held() as unwritten:
                answer = self._answers.answer(question)
        except KnowledgeUnavailable as error:
            log.warning("knowledge unavailable", error=str(error))
            return None
        self._cache_lookup(_build_lookup_key(question), _Found(answer, monotonic() + KEPT_SECONDS, unwritten))
        return KnowledgeMatch(level_of(answer.parts), round(answer.confidence, 4))

    def answer(self, question: Question) -> Answer:
        """Return the kept answer for this turn and text, or compute it.

        Raises:
            KnowledgeUnavailable: the index cannot be reached.
        """
        found = self._take_lookup(_build_lookup_key(question)) if question.turn_id else None
        if found is None:
            return self._answers.answer(question)
        for write in found.unwritten:
            write()
        return found.answer

    def answer_entry(self, question: Question, entry_id: str) -> Answer | None:
        """Return the entry's approved answer verbatim, or None if it may not be served.

        The choice is recorded as a confirmation for reuse.
        """
        with self._database.session() as session:
            entry = editor.load_served_entries(session, question.tenant_id, [entry_id]).get(entry_id)
        if entry is None:
            return None
        self._book.confirm(question, entry_id)
        return merge_answer_parts([build_verbatim_part(question, entry, 1.0)])

    def languages(self, tenant_id: str) -> list[str]:
        """Return the languages that questions can be answered in, most common first."""
        with self._database.session() as session:
            return editor.list_entry_languages(session, tenant_id)

    def _cache_lookup(self, key: _Key, found: _Found) -> None:
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)

    def _take_lookup(self, key: _Key) -> _Found | None:
        """Return the kept answer and leave it for a retry; its pending writes are handed out once."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or found.until < monotonic():
                return None
            self._kept[key] = _Found(found.answer, found.until)
            return found


def level_of(parts: Sequence[AnswerPart]) -> Level:
    """Return the level of the weakest part; if any part has nothing, the others count as probable at most."""
    found = [LEVELS.index("exact" if part.exact else _OF_OUTCOME[part.outcome]) for part in parts]
    if not found:
        return "none"
    return LEVELS[min(found) or min(max(found), LEVELS.index("probable"))]


def _build_question(asked: Asked) -> Question:
    history = tuple(Utterance(SPEAKERS[speaker], without_marks(text)) for speaker, text in asked.history)
    return Question(asked.tenant_id, asked.text, history, asked.conversation_id, asked.turn_id)


def _build_lookup_key(question: Question) -> _Key:
    return question.tenant_id, question.conversation_id, question.turn_id or "", question.text.strip()
