"""Conversations, their messages, and the turns that answer them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.db.models.base import Base, get_current_time
from core.db.models.generation import Money
from core.db.models.statuses import Feeling, MessageKind, Outcome, Speaker, TurnStatus, Urgency


class Conversation(Base):
    """A conversation with one customer; it may move between channels."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("tenant_id", "external_id"),
        Index("ix_conversations_address", "tenant_id", "channel", "address"),
        Index("ix_conversations_recent", "tenant_id", "updated_at", "id"),
    )

    channel: Mapped[str] = mapped_column(String(32))
    """The channel that replies are delivered to."""
    address: Mapped[str | None] = mapped_column(String(200), default=None)
    """The address on that channel; None on the web, where browsers fetch new messages."""
    status: Mapped[Literal["open", "closed"]] = mapped_column(String(16), default="open")
    external_id: Mapped[str | None] = mapped_column(String(200), default=None)
    """Its id in the system that it was imported from."""
    approved: Mapped[bool] = mapped_column(default=False)
    """Whether a person approved its last answer for learning."""
    customer_id: Mapped[str | None] = mapped_column(String(64), default=None, index=True)
    """The customer, as far as the channel knows; the same for every conversation of one browser or number."""
    handoff_id: Mapped[str | None] = mapped_column(String(26), default=None)
    """The open handoff. Not a foreign key, because a handoff refers to its conversation."""
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    last_seq: Mapped[int] = mapped_column(default=0)
    last_delivery: Mapped[int] = mapped_column(default=0)
    """The sequence number of the newest delivery."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
    updated_at: Mapped[datetime] = mapped_column(default=get_current_time)

    messages: Mapped[list[Message]] = relationship(order_by="Message.seq", back_populates="conversation")

    @classmethod
    def lock(cls, session: Session, conversation_id: str) -> Conversation | None:
        """Lock a conversation until the end of the transaction and return it, or None.

        Uses an UPDATE, which locks on every database and makes SQLite read earlier commits of other writers.
        """
        claim = update(cls).where(cls.id == conversation_id).values(updated_at=get_current_time()).returning(cls)
        return session.scalar(claim, execution_options={"synchronize_session": False, "populate_existing": True})

    def next_seq(self) -> int:
        """Return the sequence number of the next message; the conversation must be locked."""
        self.last_seq += 1
        return self.last_seq


class Message(Base):
    """A message; ``seq`` counts up without gaps within its conversation."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("conversation_id", "client_id"),
        Index("ix_messages_vendor", "tenant_id", "vendor", "client_id", unique=True),
    )

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    speaker: Mapped[Speaker] = mapped_column(String(16))
    kind: Mapped[MessageKind | None] = mapped_column(String(16), default=None)
    """The purpose of a bot message, where later steps depend on it."""
    text: Mapped[str] = mapped_column(Text)
    payload: Mapped[str | None] = mapped_column(Text, default=None)
    """Sent to Rasa instead of the text when the customer pressed a button that we issued."""
    buttons: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"title", "payload"}]: choices; only the titles are sent out."""
    sources: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"title", "url"}]"""
    client_id: Mapped[str | None] = mapped_column(String(64), default=None)
    """The sender's own id; a repeated id is the same message."""
    vendor: Mapped[str | None] = mapped_column(String(32), default=None)
    """The channel or desk that issued ``client_id``, where the id is unique there and not only in this conversation."""
    author: Mapped[str | None] = mapped_column(String(200), default=None)
    """The agent who wrote it."""
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"kind": image, audio, video, document, location, card, link or custom; and as ``core.attachments`` says}]"""
    sentiment: Mapped[Feeling | None] = mapped_column(String(8), default=None)
    """The sentiment of a customer message, if a model classified it."""
    urgency: Mapped[Urgency | None] = mapped_column(String(8), default=None)
    raw: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    """The vendor's original event."""
    turn_id: Mapped[str | None] = mapped_column(String(26), default=None, index=True)
    """For a bot message: the turn that it answers. Not a foreign key, because a turn refers to its message."""
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)

    conversation: Mapped[Conversation] = relationship(back_populates="messages")

    @classmethod
    def from_vendor(cls, session: Session, tenant_id: str, vendor: str, client_id: str) -> Message | None:
        """Return the message stored for a vendor's or desk's event, or None."""
        return session.scalar(select(cls).filter_by(tenant_id=tenant_id, vendor=vendor, client_id=client_id))


class Turn(Base):
    """A customer message and how it was answered."""

    __tablename__ = "turns"
    __table_args__ = (Index("ix_turns_status", "status"),)

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), index=True)
    channel: Mapped[str] = mapped_column(String(32))
    status: Mapped[TurnStatus] = mapped_column(String(16), default="waiting")
    """waiting: not yet answered; failed: the customer got an apology, see ``error``; person: an agent owns the conversation, so the
    bot was not asked or its answer was not sent.
    """
    outcome: Mapped[Outcome | None] = mapped_column(String(16), default=None)
    rateable: Mapped[bool] = mapped_column(default=False)
    """Whether a rating is meaningful; for a greeting it is not."""
    confidence: Mapped[float | None] = mapped_column(default=None)
    intent: Mapped[str | None] = mapped_column(String(100), default=None)
    intent_confidence: Mapped[float | None] = mapped_column(default=None)
    decision: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    """How the message was routed: {"by": knowledge | skill, "why", "level", "likeliest", "score"}; None for a pressed button."""
    entries: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """[{"id", "version", "score", "external_id"}]"""
    written_by: Mapped[str | None] = mapped_column(String(120), default=None)
    """The id of the model that wrote the answer, "approved" or "extract"."""
    route: Mapped[str | None] = mapped_column(String(64), default=None)
    """The name of the routing rule."""
    complexity: Mapped[float | None] = mapped_column(default=None)
    cost: Mapped[Decimal | None] = mapped_column(Money, default=None)
    groundedness: Mapped[float | None] = mapped_column(default=None)
    """0 to 1: how much of a model's answer is supported by its evidence."""
    prompt_version: Mapped[str | None] = mapped_column(String(64), default=None)
    nlu_ms: Mapped[float | None] = mapped_column(default=None)
    retrieval_ms: Mapped[float | None] = mapped_column(default=None)
    generation_ms: Mapped[float | None] = mapped_column(default=None)
    total_ms: Mapped[float | None] = mapped_column(default=None)
    error: Mapped[str | None] = mapped_column(Text, default=None)
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
    answered_at: Mapped[datetime | None] = mapped_column(default=None)
