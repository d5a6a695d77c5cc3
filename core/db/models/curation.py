"""What the bot learns from: feedback, surveys, corrections, analyses, the review queue, reuse and training."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db.models.base import Base, SettingsRow, get_current_time


class InteractionFeedback(Base):
    """Feedback on one answer: the customer's rating, which may change, and implicit signals."""

    __tablename__ = "feedback"
    __table_args__ = (Index("ix_feedback_created", "tenant_id", "created_at"),)

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id"), unique=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"))
    helpful: Mapped[bool | None] = mapped_column(default=None)
    """None: not rated."""
    comment: Mapped[str | None] = mapped_column(Text, default=None)
    source: Mapped[str] = mapped_column(String(16), default="widget")
    """Where the rating came from: widget, api, whatsapp, sms, staff; "implicit" without a rating."""
    continued: Mapped[bool | None] = mapped_column(default=None)
    """The customer wrote again about something else, or said thanks."""
    completed: Mapped[bool | None] = mapped_column(default=None)
    """The action that the answer belongs to was completed."""
    asked_for_person: Mapped[bool | None] = mapped_column(default=None)
    rephrased: Mapped[bool | None] = mapped_column(default=None)
    """The customer asked the same question again in other words."""
    left: Mapped[bool | None] = mapped_column(default=None)
    """The customer wrote nothing afterwards."""
    response_seconds: Mapped[float | None] = mapped_column(default=None)
    """Seconds until the customer's next message."""
    implicit_score: Mapped[float | None] = mapped_column(default=None)
    """0 to 1, from the signals alone; for the formula see docs/feedback.md."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
    updated_at: Mapped[datetime] = mapped_column(default=get_current_time)


class SurveyResponse(Base):
    """A customer's score after a conversation: CSAT 1 to 5, or NPS 0 to 10."""

    __tablename__ = "survey_responses"
    __table_args__ = (UniqueConstraint("conversation_id", "kind"),)

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    customer_id: Mapped[str | None] = mapped_column(String(64), default=None, index=True)
    """The customer who was asked; limits NPS to once in n days."""
    kind: Mapped[str] = mapped_column(String(8))
    """csat or nps"""
    score: Mapped[int | None] = mapped_column(default=None)
    """None: asked, but not answered."""
    comment: Mapped[str | None] = mapped_column(Text, default=None)
    asked_at: Mapped[datetime] = mapped_column(default=get_current_time)
    answered_at: Mapped[datetime | None] = mapped_column(default=None)


class HumanCorrection(Base):
    """A better answer that a person wrote to replace the bot's."""

    __tablename__ = "human_corrections"
    __table_args__ = (Index("ix_human_corrections_status", "tenant_id", "status"),)

    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"), default=None, index=True)
    turn_id: Mapped[str | None] = mapped_column(ForeignKey("turns.id"), default=None, index=True)
    question: Mapped[str] = mapped_column(Text)
    bot_answer: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    """The person's answer."""
    reason: Mapped[str] = mapped_column(Text, default="")
    category: Mapped[str] = mapped_column(String(24))
    """wrong_fact, outdated, incomplete, tone, wrong_intent, should_have_handed_over or policy"""
    quality: Mapped[int | None] = mapped_column(default=None)
    """0 to 5: the quality of the bot's answer."""
    intent: Mapped[str | None] = mapped_column(String(100), default=None)
    """The correct intent, where the bot predicted a wrong one."""
    entry_id: Mapped[str | None] = mapped_column(String(26), default=None)
    """The entry that caused the wrong answer."""
    entry_action: Mapped[str] = mapped_column(String(8), default="amend")
    """What approval does to the entry: amend, retire or keep."""
    status: Mapped[str] = mapped_column(String(12), default="proposed")
    """proposed, approved, rejected or undone"""
    author: Mapped[str] = mapped_column(String(200))
    decided_by: Mapped[str | None] = mapped_column(String(200), default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    effects: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What approval changed, to allow undoing it, and how the phrasings were answered afterwards."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)


class RegressionCase(Base):
    """A question with a known right answer, asked in every evaluation."""

    __tablename__ = "regression_cases"

    question: Mapped[str] = mapped_column(Text)
    context: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"speaker", "text"}], oldest first."""
    entry_id: Mapped[str | None] = mapped_column(String(26), default=None, index=True)
    answer: Mapped[str] = mapped_column(Text)
    wrong_answer: Mapped[str | None] = mapped_column(Text, default=None)
    """An answer that must not be given again."""
    correction_id: Mapped[str | None] = mapped_column(ForeignKey("human_corrections.id"), default=None, index=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)


class ConversationAnalysis(Base):
    """The topic and result of a finished conversation; repeated when the conversation continues."""

    __tablename__ = "conversation_analyses"
    __table_args__ = (UniqueConstraint("conversation_id"),)

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    last_seq: Mapped[int]
    """The number of messages at the time of the analysis."""
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
    """The number of question/answer pairs found in it."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)


class ReviewItem(Base):
    """Something that waits for a reviewer."""

    __tablename__ = "review_items"
    __table_args__ = (
        Index("ix_review_items_queue", "tenant_id", "status", "effect"),
        Index("ix_review_items_key", "tenant_id", "key"),
    )

    kind: Mapped[str] = mapped_column(String(16))
    """entry (harvested), faq (asked often, unanswered), phrasing (a near miss that may widen an entry), example (for an intent) or
    contradiction (entries that answer the same question differently)
    """
    status: Mapped[str] = mapped_column(String(16), default="open")
    """open, half_approved (four eyes), approved, merged, rejected, snoozed, expired or settled (contradiction resolved)"""
    key: Mapped[str | None] = mapped_column(String(32), default=None)
    """For a contradiction: the key of its question."""
    questions: Mapped[list[Any]] = mapped_column(default=list)
    """Texts; the first one is the item's title."""
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
    """Expected effect: the number of asks times how badly they are answered today, 0 to 1 each."""
    entry_id: Mapped[str | None] = mapped_column(String(26), default=None, index=True)
    """The entry that it is similar to, would widen, or became."""
    near: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"entry_id", "similarity", "contradicts"}]: entries shown next to it."""
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why it was rejected, merged or snoozed."""
    first_by: Mapped[str | None] = mapped_column(String(200), default=None)
    """With four eyes: the first of the two approvers."""
    decided_by: Mapped[str | None] = mapped_column(String(200), default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    snoozed_until: Mapped[datetime | None] = mapped_column(default=None)
    expires_at: Mapped[datetime | None] = mapped_column(default=None)
    undo: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the decision changed."""
    revision: Mapped[int] = mapped_column(default=1)
    """Counts changes, to detect that two reviewers changed it at once."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
    updated_at: Mapped[datetime] = mapped_column(default=get_current_time)


class ReuseObservation(Base):
    """A phrasing that an approved answer was, or could have been, reused for, and whether it was correct."""

    __tablename__ = "reuse_observations"
    __table_args__ = (Index("ix_reuse_observations_entry", "tenant_id", "entry_id"),)

    entry_id: Mapped[str] = mapped_column(String(26))
    turn_id: Mapped[str | None] = mapped_column(String(26), default=None, index=True)
    text: Mapped[str] = mapped_column(Text)
    """The customer's wording."""
    score: Mapped[float]
    """0 to 1: the matcher's score."""
    reused: Mapped[bool]
    """Whether the answer was sent verbatim; otherwise it was held out, or only evaluated later."""
    held_out: Mapped[bool] = mapped_column(default=False)
    correct: Mapped[bool | None] = mapped_column(default=None)
    """None: not judged yet."""
    judged_by: Mapped[str | None] = mapped_column(String(32), default=None)
    """thumb, correction, reviewer, model or confirmation"""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)


class TrainingExample(Base):
    """A message labelled with its correct intent."""

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
    """The current step, as shown to staff."""
    progress: Mapped[float] = mapped_column(default=0.0)
    """0 to 1"""
    model: Mapped[str | None] = mapped_column(String(500), default=None)
    """File or folder below ``home``."""
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Metrics of this model and of the previous one, on the same held-back data."""
    error: Mapped[str | None] = mapped_column(Text, default=None)
    author: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    deployed_at: Mapped[datetime | None] = mapped_column(default=None)


class PerformanceDay(Base):
    """The bot's performance on one day."""

    __tablename__ = "performance_days"
    __table_args__ = (UniqueConstraint("tenant_id", "day", "channel"),)

    day: Mapped[date] = mapped_column(Date)
    channel: Mapped[str] = mapped_column(String(32), default="")
    """Empty: all channels together."""
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Counts: conversations, turns, answered, unknown, handoffs, helpful, not_helpful, reused, approved_entries ..."""


class LearningSettings(SettingsRow):
    """How the bot asks for feedback, reviews and reuses answers: see ``core.feedback.settings``."""

    __tablename__ = "learning_settings"
    __table_args__ = (UniqueConstraint("tenant_id"),)
