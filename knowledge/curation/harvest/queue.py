"""The queue of suggestions: equal questions with equal answers share one item that collects their evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.db.models import ReviewItem, get_current_time
from core.errors import KnowledgeUnavailable
from core.feedback import settings
from knowledge.curation.harvest.pairs import QuestionAnswerPair
from knowledge.entries.rivals import answers_disagree
from knowledge.text.features import has_contradiction, normalise_text
from knowledge.types import Embeds, Retriever

log = structlog.get_logger()
Placed = Literal["new", "grown", "known"]
WAITING = ("open", "half_approved", "snoozed")
SAME_QUESTION = 0.8
SAME_ANSWER = 0.7
NEAR_ENTRY = 0.6
"""The cosine similarity from which an entry's question is shown beside a suggestion."""
KNOWN_ENTRY = 0.9
"""The cosine similarity from which an entry that agrees makes a suggestion redundant."""
NEAR_SHOWN = 3
MOST_EVIDENCE = 1000
MOST_PHRASINGS = 8
LOADED_AT_ONCE = 500


def near_entries(retriever: Retriever | None, tenant_id: str, question: str, answer: str) -> list[dict[str, Any]]:
    """Return approved entries near to a question, and whether they contradict the answer."""
    if retriever is None:
        return []
    try:
        found = retriever.candidates(tenant_id, [question], NEAR_SHOWN)
    except KnowledgeUnavailable as error:
        log.warning("near entries are not known now", error=str(error))
        return []
    return [
        {
            "entry_id": c.entry.id,
            "similarity": round(min(1.0, c.dense), 4),
            "contradicts": bool(answer) and c.entry.kind == "faq" and answers_disagree(answer, c.entry.answer),
        }
        for c in sorted(found, key=lambda c: -c.dense)
        if c.dense >= NEAR_ENTRY
    ]


def expire_suggestions(session: Session, tenant_id: str, at: datetime) -> int:
    """Expire suggestions that nobody reviewed in time and return how many."""
    late = update(ReviewItem).where(
        ReviewItem.tenant_id == tenant_id,
        ReviewItem.status.in_(("open", "half_approved")),
        ReviewItem.expires_at <= at,
    )
    values = {"status": "expired", "updated_at": at, "revision": ReviewItem.revision + 1}
    return len(session.scalars(late.values(values).returning(ReviewItem.id)).all())


def claim_waiting_item(session: Session, item_id: str) -> ReviewItem | None:
    """Lock an item that still waits until the transaction ends, or return None."""
    claim = (
        update(ReviewItem)
        .where(ReviewItem.id == item_id, ReviewItem.status.in_(WAITING))
        .values(updated_at=get_current_time())
    )
    if not session.execute(claim.returning(ReviewItem.id), execution_options={"synchronize_session": False}).scalar():
        return None
    return session.get(ReviewItem, item_id, populate_existing=True)


def compute_expiry_date(session: Session, tenant_id: str) -> datetime:
    """Return when an item suggested now expires."""
    return get_current_time() + timedelta(weeks=settings.get_learning_settings(session, tenant_id).expire_weeks)


def with_evidence(item: ReviewItem, evidence: Iterable[dict[str, Any]]) -> int:
    """Add evidence of new conversations, each counted once. Return how many were new."""
    known = {each["conversation_id"] for each in item.evidence}
    new = {each["conversation_id"]: each for each in evidence if each["conversation_id"] not in known}
    item.evidence = [*item.evidence, *new.values()][:MOST_EVIDENCE]
    item.asks = len(item.evidence)
    item.effect = round(item.asks * sum(each["badly"] for each in item.evidence) / max(len(item.evidence), 1), 4)
    return len(new)


class Queue:
    """A tenant's suggested entries, held in memory for one run."""

    def __init__(self, session: Session, tenant_id: str, embedder: Embeds, retriever: Retriever | None = None) -> None:
        self._tenant_id, self._embedder, self._retriever = tenant_id, embedder, retriever
        self._items: list[tuple[str, bool, str, str, str | None]] = []
        """The items as (id, waits, question, answer, subject)."""
        self._asked = self._answered = embedder.embed([])
        rows = select(
            ReviewItem.id, ReviewItem.status, ReviewItem.questions, ReviewItem.answer, ReviewItem.subject
        ).where(ReviewItem.tenant_id == tenant_id, ReviewItem.kind == "entry", ReviewItem.status != "expired")
        for some in session.execute(rows.execution_options(yield_per=LOADED_AT_ONCE)).partitions():
            self._remember_items(
                [(row.id, row.status in WAITING, row.questions[0], row.answer, row.subject) for row in some]
            )

    def place(self, session: Session, pair: QuestionAnswerPair, *, badly: bool | None) -> Placed:
        """Add a pair to the item with the same question and answer, or to a new one, unless it is known or decided."""
        evidence = {
            "conversation_id": pair.conversation_id,
            "message_id": pair.message_id,
            "question": pair.question,
            "answer": pair.answer,
            "badly": True if badly is None else badly,
        }
        same = self._find_same_item(pair)
        if same is not None:
            item_id, waits, *_ = self._items[same]
            item = claim_waiting_item(session, item_id) if waits else None
            return self._extend_item(session, item, pair, evidence) if item else "known"
        near = near_entries(self._retriever, self._tenant_id, pair.question, pair.answer)
        if any(n["similarity"] >= KNOWN_ENTRY and not n["contradicts"] for n in near):
            return "known"
        item = ReviewItem(
            tenant_id=self._tenant_id,
            kind="entry",
            questions=[pair.question],
            answer=pair.answer,
            context=[asdict(turn) for turn in pair.context],
            subject=pair.subject,
            language=pair.language,
            near=near,
            entry_id=near[0]["entry_id"] if near else None,
            evidence=[],
            expires_at=compute_expiry_date(session, self._tenant_id),
        )
        session.add(item)
        with_evidence(item, [evidence])
        session.flush()
        self._remember_items([(item.id, True, pair.question, pair.answer, pair.subject)])
        return "new"

    def _extend_item(
        self, session: Session, item: ReviewItem, pair: QuestionAnswerPair, evidence: dict[str, Any]
    ) -> Placed:
        if not with_evidence(item, [evidence]):
            return "known"
        asked = [normalise_text(question) for question in item.questions]
        if normalise_text(pair.question) not in asked and len(asked) < MOST_PHRASINGS and not pair.context:
            item.questions = [*item.questions, pair.question]
            item.revision += 1
        item.expires_at = compute_expiry_date(session, self._tenant_id)
        return "grown"

    def _find_same_item(self, pair: QuestionAnswerPair) -> int | None:
        """Return the nearest item with the same question, subject and a similar answer."""
        if not self._items:
            return None
        vectors = self._embedder.embed([pair.question, pair.answer])
        asked, answered = self._asked @ vectors[0], self._answered @ vectors[1]
        for n in np.argsort(-asked):
            if asked[n] < SAME_QUESTION:
                return None
            _, _, question, answer, subject = self._items[n]
            alike = answered[n] >= SAME_ANSWER and not answers_disagree(pair.answer, answer)
            if alike and subject == pair.subject and not has_contradiction(pair.question, question):
                return int(n)
        return None

    def _remember_items(self, items: list[tuple[str, bool, str, str, str | None]]) -> None:
        self._items += items
        self._asked = np.concatenate([self._asked, self._embedder.embed([item[2] for item in items])])
        self._answered = np.concatenate([self._answered, self._embedder.embed([item[3] for item in items])])
