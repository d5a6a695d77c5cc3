"""Surveys after a conversation: 1 to 5 for the conversation (CSAT), 0 to 10 for the company (NPS)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.db.models import Conversation, SurveyResponse, Turn, get_current_time
from core.errors import InvalidInput, NotFound
from core.feedback import settings as learning
from core.feedback.settlement import is_conversation_idle

Kind = Literal["csat", "nps"]
SCORES: dict[str, range] = {"csat": range(1, 6), "nps": range(11)}


@dataclass(frozen=True)
class Ending:
    """Whether a conversation is closed, and which survey its customer should get now."""

    closed: bool
    survey: Kind | None


def prepare_ending(session: Session, conversation_id: str, at: datetime | None = None) -> Ending:
    """Choose the survey to show now and record that it was asked.

    Returns no survey before the conversation is over or if the bot never answered. CSAT comes first, then NPS. A survey that
    was neither answered nor dismissed, for example because the customer left the page, is shown again.

    Raises:
        NotFound: there is no such conversation.
    """
    conversation = session.get(Conversation, conversation_id, populate_existing=True)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    at = at or get_current_time()
    closed = conversation.status == "closed"
    if not closed and not is_conversation_idle(session, conversation, at):
        return Ending(closed, None)
    answered = select(Turn.id).filter_by(conversation_id=conversation_id, status="answered").limit(1)
    if session.scalar(answered) is None:
        return Ending(closed, None)
    return Ending(closed, _choose_due_survey(session, conversation, at))


def store_survey_answer(
    session: Session, conversation_id: str, kind: str, score: int | None, comment: str | None = None
) -> None:
    """Store or replace the customer's score; None means that they declined.

    Raises:
        InvalidInput: the score is out of range, or a comment comes without a score.
        NotFound: this survey was not asked.
    """
    scores = SCORES.get(kind)
    if scores is None:
        raise NotFound("There is no such survey.")
    if score is not None and score not in scores:
        raise InvalidInput(f"The mark is a whole number from {scores[0]} to {scores[-1]}.")
    if score is None and comment:
        raise InvalidInput("A comment needs a mark.")
    row = session.scalar(select(SurveyResponse).filter_by(conversation_id=conversation_id, kind=kind))
    if row is None:
        raise NotFound("This was not asked.")
    row.score, row.comment, row.answered_at = score, comment or None, get_current_time()


def _choose_due_survey(session: Session, conversation: Conversation, at: datetime) -> Kind | None:
    settings = learning.get_learning_settings(session, conversation.tenant_id)
    rows = session.scalars(select(SurveyResponse).filter_by(conversation_id=conversation.id))
    asked = {row.kind: row for row in rows}
    wanted: list[tuple[Kind, bool]] = [("csat", settings.csat), ("nps", settings.nps)]
    for kind, on in wanted:
        if kind in asked:
            if asked[kind].answered_at is None:
                return kind
        elif on and (kind == "csat" or _may_ask_nps(session, conversation, at - timedelta(days=settings.nps_days))):
            _record_asked_survey(session, conversation, kind, at)
            return kind
    return None


def _may_ask_nps(session: Session, conversation: Conversation, since: datetime) -> bool:
    """Whether NPS may be asked; only for known customers, as the limit per customer cannot be enforced otherwise."""
    if conversation.customer_id is None:
        return False
    asked = select(SurveyResponse.id).where(
        SurveyResponse.tenant_id == conversation.tenant_id,
        SurveyResponse.customer_id == conversation.customer_id,
        SurveyResponse.kind == "nps",
        SurveyResponse.asked_at > since,
    )
    return session.scalar(asked.limit(1)) is None


def _record_asked_survey(session: Session, conversation: Conversation, kind: Kind, at: datetime) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {
        "tenant_id": conversation.tenant_id,
        "conversation_id": conversation.id,
        "customer_id": conversation.customer_id,
        "kind": kind,
        "asked_at": at,
    }
    session.execute(insert(SurveyResponse).values(values).on_conflict_do_nothing())
