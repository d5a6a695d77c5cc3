"""A tenant's settings of learning: how feedback is asked for, what a review takes, how far answers are reused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from core import tenant_settings
from core.db.models import LearningSettings


class Learning(BaseModel):
    """Every setting with its default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ask_feedback: Literal["always", "sometimes", "never"] = "always"
    """How often the chat offers thumbs; sometimes: on one answer in three."""
    csat: bool = True
    """Ask for 1 to 5 after a conversation."""
    nps: bool = False
    """Ask for 0 to 10 after a conversation."""
    nps_days: Annotated[int, Field(ge=1)] = 90
    """At most once a customer in so many days."""
    four_eyes: bool = False
    """Two people must approve."""
    expire_weeks: Annotated[int, Field(ge=1)] = 8
    """What nobody reviewed for so long leaves the queue."""
    faq_asks: Annotated[int, Field(ge=2)] = 10
    """An unanswered question is suggested once it was asked so often ..."""
    faq_days: Annotated[int, Field(ge=1)] = 14
    """... in so many days."""
    wrong_answers: Annotated[float, Field(gt=0, le=0.2)] = 0.02
    """Largest share of questions that may get a sure and wrong answer; a smaller one asks back more often."""
    reuse_error: Annotated[float, Field(gt=0, lt=0.5)] = 0.02
    """Largest share of wrong answers among those that are reused for new phrasings."""
    hold_out: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    """Share of the askings for which an approved answer is held back, to measure what it is worth."""


def get_learning_settings(session: Session, tenant_id: str) -> Learning:
    return tenant_settings.load_tenant_settings(session, tenant_id, LearningSettings, Learning)


def update_learning_settings(session: Session, tenant_id: str, changes: dict[str, Any], by: str) -> Learning:
    """Set some of them; the others stay.

    Raises:
        InvalidInput: a name or value is wrong; nothing is changed.
    """
    return tenant_settings.change_tenant_settings(session, tenant_id, LearningSettings, Learning, changes, by)
