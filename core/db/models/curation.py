"""What a bot learns from: feedback, surveys, corrections, analysed conversations, the review queue, reuse, training."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db.models.base import Base, SettingsRow, get_current_time


class InteractionFeedback(Base):
    """What a customer made of one answer: a thumb, which may be changed, and what was seen without asking."""

    __tablename__ = "feedback"
    __table_args__ = (Index("ix_feedback_created", "tenant_id", "created_at"),)

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id"), unique=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"))
    helpful: Mapped[bool | None] = mapped_column(default=None)
    """None: nobody said."""
    comment: Mapped[str | None] = mapped_column(Text, default=None)
    source: Mapped[str] = mapped_column(String(16), default="widget")
    """Where the thumb came from: widget, api, whatsapp, sms, staff; "implicit" where there is none."""
    continued: Mapped[bool | None] = mapped_column(default=None)
    """The customer wrote again about something else, or thanked."""
    completed: Mapped[bool | None] = mapped_column(default=None)
    """The action that the answer was for came to its end."""
    asked_for_person: Mapped[bool | None] = mapped_column(default=None)
    rephrased: Mapped[bool | None] = mapped_column(default=None)
    """The same question was asked again in other words."""
    left: Mapped[bool | None] = mapped_column(default=None)
    """Nothing came after it."""
    response_seconds: Mapped[float | None] = mapped_column(default=None)
    """Until the customer's next message."""
    implicit_score: Mapped[float | None] = mapped_column(default=None)
    """0 to 1, from the signals alone; the formula is in docs/feedback.md."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
    updated_at: Mapped[datetime] = mapped_column(default=get_current_time)


class SurveyResponse(Base):
    """A customer's mark after a conversation: CSAT 1 to 5, or NPS 0 to 10."""

    __tablename__ = "survey_responses"
    __table_args__ = (UniqueConstraint("conversation_id", "kind"),)

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    customer_id: Mapped[str | None] = mapped_column(String(64), default=None, index=True)
    """Who was asked, so that NPS comes at most once in n days."""
    kind: Mapped[str] = mapped_column(String(8))
    """csat or nps"""
    score: Mapped[int | None] = mapped_column(default=None)
    """None: asked, not answered."""
    comment: Mapped[str | None] = mapped_column(Text, default=None)
    asked_at: Mapped[datetime] = mapped_column(default=get_current_time)
    answered_at: Mapped[datetime | None] = mapped_column(default=None)


class HumanCorrection(Base):
    """A person's better answer in place of the bot's."""

    __tablename__ = "human_corrections"
    __table_args__ = (Index("ix_human_corrections_status", "tenant_id", "status"),)

    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"), default=None, index=True)
    turn_id: Mapped[str | None] = mapped_column(ForeignKey("turns.id"), default=None, index=True)
    question: Mapped[str] = mapped_column(Text)
    bot_answer: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    """The person's."""
    reason: Mapped[str] = mapped_column(Text, default="")
    category: Mapped[str] = mapped_column(String(24))
    """wrong_fact, outdated, incomplete, tone, wrong_intent, should_have_handed_over or policy"""
    quality: Mapped[int | None] = mapped_column(default=None)
    """0 to 5: how good the bot's answer was."""
    intent: Mapped[str | None] = mapped_column(String(100), default=None)
    """The right one, where the wrong one was understood."""
    entry_id: Mapped[str | None] = mapped_column(String(26), default=None)
    """The entry that misled."""
    entry_action: Mapped[str] = mapped_column(String(8), default="amend")
    """What approval does to it: amend, retire or keep."""
    status: Mapped[str] = mapped_column(String(12), default="proposed")
    """proposed, approved, rejected or undone"""
    author: Mapped[str] = mapped_column(String(200))
    decided_by: Mapped[str | None] = mapped_column(String(200), default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    effects: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What approval did, for undoing it, and what the phrasings got afterwards."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)


class RegressionCase(Base):
    """A question whose right answer is known; every evaluation asks it."""

    __tablename__ = "regression_cases"

    question: Mapped[str] = mapped_column(Text)
    context: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"speaker", "text"}], oldest first."""
    entry_id: Mapped[str | None] = mapped_column(String(26), default=None, index=True)
    answer: Mapped[str] = mapped_column(Text)
    wrong_answer: Mapped[str | None] = mapped_column(Text, default=None)
    """What must not be said again."""
    correction_id: Mapped[str | None] = mapped_column(ForeignKey("human_corrections.id"), default=None, index=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)


class ConversationAnalysis(Base):
    """What a finished conversation was about and how it went; made again when it goes on."""

    __tablename__ = "conversation_analyses"
    __table_args__ = (UniqueConstraint("conversation_id"),)

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    last_seq: Mapped[int]
    """How many messages it had then."""
    summary: Mapped[str] = mapped_column(Text)
    key_phrases: Mapped[list[Any]] = mapped_column(default=list)
    intents: Mapped[list[Any]] = mapped_column(default=list)
    category: Mapped[str | None] = mapped_column(String(100), default=None)
    outcome: Mapped[str] = mapped_column(String(16))
    """resolved, unresolved, handed_over or abandoned"""
    success: Mapped[float]
    """0 to 1"""
    success_parts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    candidates: Mapped[int] = mapped_column(default=0)
    """How many question/answer pairs were found in it."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)


class ReviewItem(Base):
    """Something that waits for a reviewer."""

    __tablename__ = "review_items"
    __table_args__ = (
        Index("ix_review_items_queue", "tenant_id", "status", "effect"),
        Index("ix_review_items_key", "tenant_id", "key"),
    )

    kind: Mapped[str] = mapped_column(String(16))
    """entry (harvested), faq (asked often, unanswered), phrasing (a near miss that may widen an entry), example (for an
    intent) or contradiction (entries that answer the same question differently)"""
    status: Mapped[str] = mapped_column(String(16), default="open")
    """open, half_approved (four eyes), approved, merged, rejected, snoozed, expired or settled (its contradiction is
    gone)"""
    key: Mapped[str | None] = mapped_column(String(32), default=None)
    """Of a contradiction: the key of its question."""
    questions: Mapped[list[Any]] = mapped_column(default=list)
    """Texts; the first is its name."""
    answer: Mapped[str] = mapped_column(Text, default="")
    context: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    subject: Mapped[str | None] = mapped_column(String(200), default=None)
    language: Mapped[str] = mapped_column(String(8), default="en")
    intent: Mapped[str | None] = mapped_column(String(100), default=None)
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"conversation_id", "message_id", "question", "answer"}]: where it was said."""
    asks: Mapped[int] = mapped_column(default=1)
    """How often it was asked."""
    effect: Mapped[float] = mapped_column(default=0.0)
    """Expected effect: asks times how badly they are answered today, 0 to 1 each."""
    entry_id: Mapped[str | None] = mapped_column(String(26), default=None, index=True)
    """The entry that it is near to, would widen, or became."""
    near: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"entry_id", "similarity", "contradicts"}]: entries shown beside it."""
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why it was rejected, merged or snoozed."""
    first_by: Mapped[str | None] = mapped_column(String(200), default=None)
    """With four eyes: who approved first."""
    decided_by: Mapped[str | None] = mapped_column(String(200), default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    snoozed_until: Mapped[datetime | None] = mapped_column(default=None)
    expires_at: Mapped[datetime | None] = mapped_column(default=None)
    undo: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the decision changed."""
    revision: Mapped[int] = mapped_column(default=1)
    """Counts changes up, so that the second of two reviewers is told."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
    updated_at: Mapped[datetime] = mapped_column(default=get_current_time)


class ReuseObservation(Base):
    """An approved answer met, or would have met, a phrasing; was it right?"""

    __tablename__ = "reuse_observations"
    __table_args__ = (Index("ix_reuse_observations_entry", "tenant_id", "entry_id"),)

    entry_id: Mapped[str] = mapped_column(String(26))
    turn_id: Mapped[str | None] = mapped_column(String(26), default=None, index=True)
    text: Mapped[str] = mapped_column(Text)
    """How it was asked."""
    score: Mapped[float]
    """0 to 1: the matcher's."""
    reused: Mapped[bool]
    """The answer was sent verbatim; otherwise it was held out, or only looked at again."""
    held_out: Mapped[bool] = mapped_column(default=False)
    correct: Mapped[bool | None] = mapped_column(default=None)
    """None: nobody said yet."""
    judged_by: Mapped[str | None] = mapped_column(String(32), default=None)
    """thumb, correction, reviewer, model or confirmation"""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)


class TrainingExample(Base):
    """A message with the intent it should have been understood as."""

    __tablename__ = "training_examples"
    __table_args__ = (Index("ix_training_examples_status", "tenant_id", "status"),)

    text: Mapped[str] = mapped_column(Text)
    intent: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(12), default="proposed")
    """proposed, approved, exported, rejected or undone"""
    source: Mapped[str] = mapped_column(String(16))
    """correction, cluster or staff"""
    source_id: Mapped[str | None] = mapped_column(String(26), default=None, index=True)
    author: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)


class TrainingSession(Base):
    """One training of a model: of the NLU model or of the embedding."""

    __tablename__ = "training_sessions"
    __table_args__ = (Index("ix_training_sessions_kind", "tenant_id", "kind", "created_at"),)

    kind: Mapped[str] = mapped_column(String(12))
    """nlu or embedding"""
    status: Mapped[str] = mapped_column(String(12), default="waiting")
    """waiting, training, evaluating, refused, ready, deployed, replaced, failed"""
    step: Mapped[str] = mapped_column(String(200), default="")
    """What it is doing, for a person to read."""
    progress: Mapped[float] = mapped_column(default=0.0)
    """0 to 1"""
    model: Mapped[str | None] = mapped_column(String(500), default=None)
    """File or folder below ``home``."""
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Of this model and of the one that ran before, on the same held-back part."""
    error: Mapped[str | None] = mapped_column(Text, default=None)
    author: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    deployed_at: Mapped[datetime | None] = mapped_column(default=None)


class PerformanceDay(Base):
    """How the bot did on one day."""

    __tablename__ = "performance_days"
    __table_args__ = (UniqueConstraint("tenant_id", "day", "channel"),)

    day: Mapped[date] = mapped_column(Date)
    channel: Mapped[str] = mapped_column(String(32), default="")
    """Empty: all of them."""
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Counts: conversations, turns, answered, unknown, handoffs, helpful, not_helpful, reused, approved_entries ..."""


class LearningSettings(SettingsRow):
    """How it asks for feedback, reviews and reuses: ``core.feedback.settings``."""

    __tablename__ = "learning_settings"
    __table_args__ = (UniqueConstraint("tenant_id"),)
