"""Sessions of signed-in browsers: a random cookie, stored only as a hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from console.auth.roles import PERMISSIONS, Permission
from core.db.models import User, UserSession, get_current_time

LASTS = timedelta(hours=12)
"""A working day; then staff sign in again."""
SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class Person:
    """The caller: a signed-in member of staff, or the holder of the API token."""

    email: str
    name: str
    role: str
    permissions: frozenset[Permission]
    user_id: str | None = None
    session_id: str | None = None
    csrf: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether the person's role allows it."""
        return permission in self.permissions


API = Person("api", "API token", "admin", PERMISSIONS["admin"])
"""The holder of the API token."""


def open_session(session: Session, user: User) -> tuple[str, datetime]:
    """Open a session; return the cookie's value, which is not stored, and the expiry."""
    session.execute(delete(UserSession).where(UserSession.expires_at <= get_current_time()))
    token, expires = secrets.token_urlsafe(32), get_current_time() + LASTS
    session.add(
        UserSession(
            tenant_id=user.tenant_id,
            user_id=user.id,
            token_hash=_hash_token(token),
            csrf_token=secrets.token_urlsafe(32),
            expires_at=expires,
        )
    )
    user.last_seen_at = get_current_time()
    return token, expires


def find_person(session: Session, tenant_id: str, token: str) -> Person | None:
    """Return the person with this cookie, or None if the session has expired or the account is disabled."""
    query = select(UserSession).filter_by(tenant_id=tenant_id, token_hash=_hash_token(token))
    opened = session.scalar(query.where(UserSession.expires_at > get_current_time()))
    if opened is None or not opened.user.active:
        return None
    user = opened.user
    if user.last_seen_at is None or user.last_seen_at < get_current_time() - SEEN_EVERY:
        user.last_seen_at = get_current_time()
    permissions = next((allowed for role, allowed in PERMISSIONS.items() if role == user.role), frozenset())
    return Person(user.email, user.name, user.role, permissions, user.id, opened.id, opened.csrf_token)


def close_session(session: Session, session_id: str) -> None:
    session.execute(delete(UserSession).where(UserSession.id == session_id))


def matches_secret(given: str, expected: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())


def _hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
