"""Paginated feedback for staff, with the questions and answers it refers to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from core.db.models import InteractionFeedback, Message, Turn
from core.feedback.types import FeedbackFilter

SIGNALS = (
    "continued",
    "completed",
    "asked_for_person",
    "rephrased",
    "left",
    "response_seconds",
    "implicit_score",
)


@dataclass(frozen=True)
class FeedbackItems:
    """One page of the matching feedback, and the total number of matches."""

    total: int
    items: list[dict[str, Any]]


def list_feedback(session: Session, tenant_id: str, wanted: FeedbackFilter, limit: int, offset: int) -> FeedbackItems:
    question, answer = aliased(Message), aliased(Message)
    row = InteractionFeedback
    conditions = wanted.conditions(tenant_id)
    count = select(func.count()).select_from(row).join(Turn, Turn.id == row.turn_id).where(*conditions)
    query = (
        select(row, Turn, question.text, answer.text)
        .join(Turn, Turn.id == row.turn_id)
        .join(question, question.id == Turn.message_id)
        .join(answer, answer.id == row.message_id)
        .where(*conditions)
        .order_by(row.created_at.desc(), row.id.desc())
    )
    found = session.execute(query.limit(limit).offset(offset))
    items = [_describe_feedback(given, turn, asked, said) for given, turn, asked, said in found]
    return FeedbackItems(session.scalar(count) or 0, items)


def _describe_feedback(given: InteractionFeedback, turn: Turn, question: str, answer: str) -> dict[str, Any]:
    return {
        "id": given.id,
        "conversation_id": given.conversation_id,
        "turn_id": given.turn_id,
        "message_id": given.message_id,
        "question": question,
        "answer": answer,
        "helpful": given.helpful,
        "comment": given.comment,
        "source": given.source,
        "channel": turn.channel,
        "intent": turn.intent,
        "outcome": turn.outcome,
        "written_by": turn.written_by,
        "entries": [entry["id"] for entry in turn.entries],
        **{name: getattr(given, name) for name in SIGNALS},
        "created_at": given.created_at,
        "updated_at": given.updated_at,
    }
