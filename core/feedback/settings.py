"""A tenant's learning settings: how to ask for feedback, review rules, and limits for reusing answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from core import tenant_settings
from core.db.models import LearningSettings


class Learning(BaseModel):
    """All learning settings and their defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ask_feedback: Literal["always", "sometimes", "never"] = "always"
    """How often the chat offers thumbs; sometimes: on one answer in three."""
    csat: bool = True
    """Ask for 1 to 5 after a conversation."""
    nps: bool = False
    """Ask for 0 to 10 after a conversation."""
    nps_days: Annotated[int, Field(ge=1)] = 90
    """Ask each customer at most once in this many days."""
    four_eyes: bool = False
    """Whether two people must approve."""
    expire_weeks: Annotated[int, Field(ge=1)] = 8
    """Weeks after which an unreviewed item leaves the queue."""
    faq_asks: Annotated[int, Field(ge=2)] = 10
    """Suggest an unanswered question after it was asked this many times ..."""
    faq_days: Annotated[int, Field(ge=1)] = 14
    """... within this many days."""
    wrong_answers: Annotated[float, Field(gt=0, le=0.2)] = 0.02
    """Maximum share of questions that may get a confident wrong answer; a lower value makes the bot ask back more often."""
    reuse_error: Annotated[float, Field(gt=0, lt=0.5)] = 0.02
    """Maximum share of wrong answers among those reused for new phrasings."""
    hold_out: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    """Holdout: share of questions whose approved answer is withheld, to measure its benefit."""


def get_learning_settings(session: Session, tenant_id: str) -> Learning:
    return tenant_settings.load_tenant_settings(session, tenant_id, LearningSettings, Learning)


def update_learning_settings(session: Session, tenant_id: str, changes: dict[str, Any], by: str) -> Learning:
    """Change some settings; the others keep their values.

    Raises:
        InvalidInput: a name or value is wrong; nothing is changed.
    """
    return tenant_settings.change_tenant_settings(session, tenant_id, LearningSettings, Learning, changes, by)
