"""What the knowledge has for a message before a skill may act; what was found is kept for the action that serves it."""

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
"""From the weakest."""
_OF_OUTCOME: dict[str, Level] = {
    "answered": "sure",
    "suggested": "probable",
    "clarified": "unsure",
    "unknown": "none",
}
_Key = tuple[str, str | None, str, str]


class AnswerDecider(Protocol):
    """Answers questions, as ``Answering`` does."""

    def answer(self, question: Question) -> Answer:
        """The answer.

        Raises:
            KnowledgeUnavailable: the index cannot be reached.
        """


class DeferredReuseStore:
    """A book that writes what a lookup met only when its answer is served: what a skill took teaches nothing."""

    def __init__(self, book: ReuseStore) -> None:
        self._book = book
        self._local = threading.local()

    @contextmanager
    def held(self) -> Iterator[list[Callable[[], None]]]:
        """Collect what this thread would write meanwhile."""
        held: list[Callable[[], None]] = []
        self._local.held = held
        try:
            yield held
        finally:
            self._local.held = None

    def known(self, tenant_id: str, entry_id: str) -> KnownPhrasing:
        """As the book knows it."""
        return self._book.known(tenant_id, entry_id)

    def note(self, question: Question, entry_id: str, decision: ReuseDecision) -> None:
        """An asking met an entry."""
        self._defer_write(lambda: self._book.note(question, entry_id, decision))

    def confirm(self, question: Question, entry_id: str) -> None:
        """An entry was asked for in its own words."""
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
    """Answers, and the match that an answer stands for; the answer to a turn is found once."""

    def __init__(self, answers: AnswerDecider, database: Database, book: DeferredReuseStore) -> None:
        self._answers = answers
        self._database = database
        self._book = book
        self._kept: OrderedDict[_Key, _Found] = OrderedDict()
        self._lock = threading.Lock()

    def match(self, asked: Asked) -> KnowledgeMatch | None:
        """What the knowledge has; its answer is kept for ``answer``. None where it cannot be reached."""
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
        """What was found for this very turn and text, else found now.

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
        """The approved answer of exactly this entry, verbatim; None where it may not, or no longer, be served.

        That it was chosen teaches the reuse of its answer.
        """
        with self._database.session() as session:
            entry = editor.load_served_entries(session, question.tenant_id, [entry_id]).get(entry_id)
        if entry is None:
            return None
        self._book.confirm(question, entry_id)
        return merge_answer_parts([build_verbatim_part(question, entry, 1.0)])

    def languages(self, tenant_id: str) -> list[str]:
        """The languages that questions can be answered in, the commonest first."""
        with self._database.session() as session:
            return editor.list_entry_languages(session, tenant_id)

    def _cache_lookup(self, key: _Key, found: _Found) -> None:
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)

    def _take_lookup(self, key: _Key) -> _Found | None:
        """What was kept stays, for an action that is tried again; what it had to write is handed out once."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or found.until < monotonic():
                return None
            self._kept[key] = _Found(found.answer, found.until)
            return found


def level_of(parts: Sequence[AnswerPart]) -> Level:
    """Of several parts the weakest counts; where one of them has nothing, the others are probable at most."""
    found = [LEVELS.index("exact" if part.exact else _OF_OUTCOME[part.outcome]) for part in parts]
    if not found:
        return "none"
    return LEVELS[min(found) or min(max(found), LEVELS.index("probable"))]


def _build_question(asked: Asked) -> Question:
    history = tuple(Utterance(SPEAKERS[speaker], without_marks(text)) for speaker, text in asked.history)
    return Question(asked.tenant_id, asked.text, history, asked.conversation_id, asked.turn_id)


def _build_lookup_key(question: Question) -> _Key:
    return question.tenant_id, question.conversation_id, question.turn_id or "", question.text.strip()
