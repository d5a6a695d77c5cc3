"""Suggested FAQ: group unanswered questions and queue those that are asked often enough for review."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased

from core.db import Database
from core.db.models import Message, ReviewItem, Turn, get_current_time
from core.errors import KnowledgeUnavailable
from core.feedback import settings as learning
from core.language import language_of
from core.llm.masking import Masker
from knowledge.answers.decision import Answering
from knowledge.answers.grounding.instructions import is_instruction
from knowledge.answers.injection import OrderDetector
from knowledge.curation.harvest.privacy import Setting, find_personal_detail
from knowledge.curation.harvest.queue import (
    MOST_EVIDENCE,
    MOST_PHRASINGS,
    claim_waiting_item,
    compute_expiry_date,
    near_entries,
    with_evidence,
)
from knowledge.curation.harvest.vocabulary import CompanyVocabulary
from knowledge.relevance.extract import extract_best_sentences
from knowledge.text.features import content_words, has_contradiction, normalise_text
from knowledge.types import Embeds, Question, Retriever

log = structlog.get_logger()
SAME = 0.72
"""The cosine similarity to the centre of a group from which a question belongs to it."""
SAME_ITEM = 0.8
EVIDENCE = 0.5
"""The nearness from which a passage's sentences are suggested as the answer."""
MOST_GROUPS = 5000
READ_AT_ONCE = 500
LONGEST = 300


@dataclass(frozen=True)
class Unanswered:
    """A customer's question that got no answer."""

    conversation_id: str
    message_id: str
    text: str


@dataclass
class Group:
    """The same question, asked by several customers."""

    middle: npt.NDArray[np.float32]
    asked: list[Unanswered] = field(default_factory=list)
    conversations: set[str] = field(default_factory=set)

    def add(self, question: Unanswered, vector: npt.NDArray[np.float32]) -> None:
        """Add a question; each conversation counts once."""
        if question.conversation_id not in self.conversations and len(self.asked) < MOST_EVIDENCE:
            self.conversations.add(question.conversation_id)
            self.asked.append(question)
            total = self.middle * (len(self.asked) - 1) + vector
            self.middle = total / max(float(np.linalg.norm(total)), 1e-9)


@dataclass(frozen=True)
class FaqFinder:
    """Finds questions that are asked often and not answered."""

    database: Database
    embedder: Embeds
    masker: Masker
    orders: OrderDetector
    answering: Answering | None = None
    retriever: Retriever | None = None

    def suggest(self, tenant_id: str) -> int:
        """Queue the unanswered questions of the last days for review. Return how many items are new or grew."""
        with self.database.session() as session:
            settings = learning.get_learning_settings(session, tenant_id)
            setting = Setting(CompanyVocabulary.of(session, tenant_id))
            groups = self._group_questions(list_unanswered_questions(session, tenant_id, settings.faq_days))
        changed = 0
        for group in groups:
            if len(group.asked) >= settings.faq_asks and (texts := self._select_phrasings(group, setting)):
                answer = self._suggest_answer(tenant_id, texts[0])
                near = near_entries(self.retriever, tenant_id, texts[0], answer)
                with self.database.session() as session:
                    changed += self._enqueue_group(session, tenant_id, group, texts, (answer, near))
        return changed

    def _group_questions(self, questions: Iterator[Sequence[Unanswered]]) -> list[Group]:
        """Assign each question to the nearest group, or start a new one."""
        groups: list[Group] = []
        for some in questions:
            asked = [q for q in some if len(content_words(q.text)) > 1]
            for question, vector in zip(asked, self.embedder.embed([q.text for q in asked]), strict=True):
                best = _find_nearest_group(groups, question.text, vector)
                if best is None and len(groups) < MOST_GROUPS:
                    best = Group(vector * 0)
                    groups.append(best)
                if best is not None:
                    best.add(question, vector)
        return groups

    def _select_phrasings(self, group: Group, setting: Setting) -> list[str]:
        """Return the phrasings of a group, most typical first, without personal data or instructions to the bot."""
        texts = list(dict.fromkeys(q.text for q in group.asked if len(q.text) <= LONGEST))
        if not texts:
            return []
        near = self.embedder.embed(texts) @ group.middle
        ranked = [texts[n] for n in np.argsort(-near)]
        return [text for text in ranked[: 4 * MOST_PHRASINGS] if self._may_be_shown(text, setting)][:MOST_PHRASINGS]

    def _may_be_shown(self, text: str, setting: Setting) -> bool:
        private = self.masker.found(text) or find_personal_detail(text, setting)
        return not (private or is_instruction(text) or self.orders.gives_orders(text))

    def _suggest_answer(self, tenant_id: str, question: str) -> str:
        """Return an answer from the approved knowledge, or ""."""
        if self.answering is None:
            return ""
        try:
            part = self.answering.answer(Question(tenant_id, question)).parts[0]
        except KnowledgeUnavailable as error:
            log.warning("no answer can be suggested now", error=str(error))
            return ""
        if part.text:
            return part.text
        passage = next((e for e in part.evidence if e.kind == "passage"), None)
        near = part.nearness >= EVIDENCE and passage is not None and part.evidence[0] == passage
        return extract_best_sentences(question, passage.answer, self.embedder) if near and passage else ""

    def _enqueue_group(
        self,
        session: Session,
        tenant_id: str,
        group: Group,
        texts: Sequence[str],
        found: tuple[str, list[dict[str, Any]]],
    ) -> bool:
        """Add a group to its item or a new one. Return False if the item is decided or nothing is new."""
        answer, near = found
        known = self._find_group_item(session, tenant_id, group, texts[0])
        item = claim_waiting_item(session, known) if known else None
        if known and item is None:
            return False
        if item is None:
            item = ReviewItem(
                tenant_id=tenant_id, kind="faq", questions=list(texts), answer=answer, evidence=[], near=near
            )
            item.language = language_of(" ".join(texts))
            item.entry_id = near[0]["entry_id"] if near else None
            session.add(item)
        evidence = [
            {
                "conversation_id": q.conversation_id,
                "message_id": q.message_id,
                "question": q.text if q.text in texts else "",
                "answer": "",
                "badly": True,
            }
            for q in group.asked
        ]
        grown = with_evidence(item, evidence)
        if grown:
            item.expires_at = compute_expiry_date(session, tenant_id)
        return bool(grown)

    def _find_group_item(self, session: Session, tenant_id: str, group: Group, name: str) -> str | None:
        """Return the id of the item that this group already has, whatever its status."""
        rows = select(ReviewItem.id, ReviewItem.status, ReviewItem.questions, ReviewItem.evidence).where(
            ReviewItem.tenant_id == tenant_id, ReviewItem.kind == "faq", ReviewItem.status != "expired"
        )
        for item_id, _, questions, evidence in session.execute(rows):
            shared = {e["conversation_id"] for e in evidence} & group.conversations
            if 2 * len(shared) >= len(group.conversations):
                return str(item_id)
            vectors = self.embedder.embed([name, questions[0]])
            if vectors[0] @ vectors[1] >= SAME_ITEM and not has_contradiction(name, questions[0]):
                return str(item_id)
        return None


def list_unanswered_questions(session: Session, tenant_id: str, days: int) -> Iterator[Sequence[Unanswered]]:
    """Yield batches of recent questions that were not answered, or whose clarification the customer ignored."""
    later = aliased(Turn)
    follow_up = select(later.id).where(later.conversation_id == Turn.conversation_id, later.id > Turn.id)
    query = (
        select(Turn.conversation_id, Turn.message_id, Message.text)
        .join(Message, Message.id == Turn.message_id)
        .where(
            Turn.tenant_id == tenant_id,
            Turn.created_at >= get_current_time() - timedelta(days=days),
            or_(Turn.outcome == "unknown", and_(Turn.outcome == "clarified", ~follow_up.exists())),
        )
        .order_by(Turn.id)
    )
    for some in session.execute(query.execution_options(yield_per=READ_AT_ONCE)).partitions():
        yield [Unanswered(row.conversation_id, row.message_id, row.text.strip()) for row in some]


def _find_nearest_group(groups: Sequence[Group], text: str, vector: npt.NDArray[np.float32]) -> Group | None:
    if not groups:
        return None
    near = np.stack([group.middle for group in groups]) @ vector
    for n in map(int, np.argsort(-near)):
        if near[n] < SAME:
            return None
        name = groups[n].asked[0].text
        if normalise_text(name) == normalise_text(text) or not has_contradiction(text, name):
            return groups[n]
    return None
