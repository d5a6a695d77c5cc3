"""Coverage: whether a team's own questions and section headings are answered by their own entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from core.db.models import KnowledgeEntry, SourceDocument
from knowledge.answers.decision import Answering
from knowledge.answers.explanation import notes_of, sentence_of
from knowledge.text.features import normalise_text
from knowledge.types import Answer, Question

Kind = Literal["question", "heading"]
SENT = ("answered", "suggested")


@dataclass(frozen=True)
class OwnQuestion:
    """A question or heading of approved entries; ``entries`` are all entries that have it."""

    text: str
    kind: Kind
    source: str | None
    """Name of the source; None if written by hand."""
    document: str | None
    entries: frozenset[str]
    answers: frozenset[str]
    """The entries' normalised answers: lowercase, without punctuation."""


@dataclass(frozen=True)
class Miss:
    """A question not answered by its own entry, and why."""

    text: str
    kind: Kind
    source: str | None
    document: str | None
    entries: tuple[str, ...]
    outcome: str
    why: str


@dataclass(frozen=True)
class Coverage:
    """How many of the own questions are answered."""

    asked: int
    answered: int
    known: int
    """Total number of own questions, some of which may not have been asked."""
    misses: tuple[Miss, ...] = ()
    skipped: int = 0
    """Entries that only make sense within a conversation."""

    @property
    def share(self) -> float | None:
        """Share answered, 0 to 1; None if nothing was asked."""
        return self.answered / self.asked if self.asked else None


def own_questions(session: Session, tenant_id: str, sources: Sequence[str] = ()) -> tuple[list[OwnQuestion], int]:
    """Return the distinct questions of approved entries, and the number of skipped entries; ``sources`` limits them."""
    query = (
        select(KnowledgeEntry, SourceDocument.origin, SourceDocument.uri)
        .outerjoin(SourceDocument, SourceDocument.id == KnowledgeEntry.source_id)
        .where(KnowledgeEntry.tenant_id == tenant_id, KnowledgeEntry.status == "approved")
        .options(selectinload(KnowledgeEntry.questions))
        .order_by(KnowledgeEntry.id)
    )
    if sources:
        query = query.where(SourceDocument.origin.in_(sources))
    grouped: dict[tuple[Kind, str], list[tuple[str, KnowledgeEntry, str | None, str | None]]] = {}
    skipped = 0
    for entry, origin, uri in session.execute(query):
        if entry.subject or entry.context:
            skipped += 1
            continue
        kind, texts = _get_question_texts(entry)
        for text in texts:
            if normalise_text(text):
                grouped.setdefault((kind, normalise_text(text)), []).append((text, entry, origin, uri))
    return [_build_own_question(kind, same) for (kind, _), same in grouped.items()], skipped


def sample_questions(questions: Sequence[OwnQuestion], most: int) -> list[OwnQuestion]:
    """Return at most ``most`` questions, evenly spaced from first to last."""
    if len(questions) <= most:
        return list(questions)
    return [questions[place * len(questions) // most] for place in range(most)]


def check_coverage(
    answering: Answering,
    tenant_id: str,
    questions: Sequence[OwnQuestion],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Coverage:
    """Ask each question as the first message of a conversation.

    Raises:
        KnowledgeUnavailable: the index cannot be reached.
    """
    misses: list[Miss] = []
    for number, own in enumerate(questions, 1):
        asked = Question(tenant_id, own.text)
        answer = answering.answer(asked)
        if not _is_own_answer(answer, own):
            misses.append(_explain_miss(answering, asked, own))
        progress(number, len(questions))
    return Coverage(len(questions), len(questions) - len(misses), len(questions), tuple(misses))


def _get_question_texts(entry: KnowledgeEntry) -> tuple[Kind, list[str]]:
    if entry.kind == "faq":
        return "question", [question.text for question in entry.questions]
    return "heading", [(entry.title or "").rpartition(" > ")[2]]


def _build_own_question(kind: Kind, same: Sequence[tuple[str, KnowledgeEntry, str | None, str | None]]) -> OwnQuestion:
    text, _, origin, uri = same[0]
    entries = frozenset(entry.id for _, entry, _, _ in same)
    answers = frozenset(normalise_text(entry.answer) for _, entry, _, _ in same)
    return OwnQuestion(text, kind, origin, uri, entries, answers)


def _is_own_answer(answer: Answer, own: OwnQuestion) -> bool:
    """Whether one of its entries, or the same answer, was sent. A heading also counts if it was offered as a choice."""
    if any(part.disputed for part in answer.parts):
        return False
    sent = [part for part in answer.parts if part.outcome in SENT]
    if any(used.id in own.entries for part in sent for used in part.entries):
        return True
    if any(normalise_text(part.text) in own.answers for part in sent):
        return True
    offered = {choice.entry_id for part in answer.parts for choice in part.choices}
    return own.kind == "heading" and bool(offered & own.entries)


def _explain_miss(answering: Answering, asked: Question, own: OwnQuestion) -> Miss:
    explanation = answering.explain(asked)
    why = [line for reasons in explanation.reasons for line in (sentence_of(reasons), *notes_of(reasons))]
    why += _sent_instead(part.title or part.text for part in explanation.answer.parts if part.outcome in SENT)
    outcome = explanation.answer.outcome
    return Miss(own.text, own.kind, own.source, own.document, tuple(sorted(own.entries)), outcome, " ".join(why))


def _sent_instead(texts: Iterable[str]) -> list[str]:
    return [f"What was sent: “{' '.join(text.split())[:80]}”." for text in texts]
