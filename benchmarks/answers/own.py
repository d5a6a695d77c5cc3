"""A team's own questions, as they stand in its documents."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from benchmarks.answers.score import Case, Reply, plain
from core.db import Database
from core.db.models import KnowledgeEntry

MARKS = ("?", "\u061f", "\uff1f")
BETWEEN_HEADINGS = re.compile(r"\s+[-\u2013>\u203a\u00bb/|]\s+")


@dataclass(frozen=True)
class OwnQuestion:
    """One question with all entries that answer it; different answers contradict each other."""

    text: str
    answers: tuple[str, ...]
    entries: tuple[str, ...]

    @property
    def case(self) -> Case:
        """To be asked."""
        return Case(f"own:{self.text[:80]}", (("customer", self.text),), expects_answer=True, heading=self.text)

    @property
    def is_contradicted(self) -> bool:
        """Has it different answers? Then none of them is right for sure."""
        return len(set(map(plain, self.answers))) > 1

    def is_answered(self, reply: Reply) -> bool:
        """Sure, and one of the answers stands in it, whole."""
        said = plain(reply.text)
        return reply.outcome == "answered" and any(plain(answer) in said for answer in self.answers)

    def is_served(self, reply: Reply) -> bool:
        """Sure, and from one of its entries."""
        return reply.outcome == "answered" and bool({*self.entries} & {*reply.entries})


def own_questions(database: Database, tenant: str) -> tuple[list[OwnQuestion], list[OwnQuestion]]:
    """The questions of the approved entries of kind faq, each once; and the other headings that ask."""
    query = select(KnowledgeEntry).where(KnowledgeEntry.tenant_id == tenant, KnowledgeEntry.status == "approved")
    with database.session() as session:
        entries = session.scalars(query.options(selectinload(KnowledgeEntry.questions))).all()
        faq = _grouped((q.text, e) for e in entries if e.kind == "faq" for q in e.questions)
        headings = _grouped((_last(e.title), e) for e in entries if e.kind == "passage")
    known = {plain(question.text).lower() for question in faq}
    asking = [h for h in headings if h.text.endswith(MARKS) and plain(h.text).lower() not in known]
    return faq, asking


def _grouped(pairs: Iterable[tuple[str, KnowledgeEntry]]) -> list[OwnQuestion]:
    grouped: dict[str, list[tuple[str, KnowledgeEntry]]] = defaultdict(list)
    for question, entry in pairs:
        grouped[plain(question).lower()].append((question, entry))
    return [_own(same) for same in grouped.values()]


def _own(same: Sequence[tuple[str, KnowledgeEntry]]) -> OwnQuestion:
    return OwnQuestion(same[0][0], tuple(e.answer for _, e in same), tuple(e.id for _, e in same))


def _last(title: str | None) -> str:
    """The heading at the end of a path."""
    return BETWEEN_HEADINGS.split(title or "")[-1].strip()
