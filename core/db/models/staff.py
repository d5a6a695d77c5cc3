"""Staff accounts, their sessions, and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db.models.base import Base, get_current_time


class User(Base):
    """A member of staff."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("tenant_id", "email"),)

    email: Mapped[str] = mapped_column(String(200))
    """Lower case."""
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(200))
    """Argon2id."""
    role: Mapped[str] = mapped_column(String(16), default="viewer")
    """viewer, reviewer, builder or admin"""
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
    last_seen_at: Mapped[datetime | None] = mapped_column(default=None)


class UserSession(Base):
    """A signed-in browser session."""

    __tablename__ = "user_sessions"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the cookie's value, in hex."""
    csrf_token: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
    expires_at: Mapped[datetime]

    user: Mapped[User] = relationship()


class AuditEvent(Base):
    """A change made by a member of staff or by a job."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_what", "tenant_id", "kind", "subject_id"),)

    kind: Mapped[str] = mapped_column(String(32))
    """The kind of object changed: entry, review, correction, user, model, settings ..."""
    subject_id: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(200))
    """The e-mail address of the member of staff, or the name of the job."""
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=get_current_time)
