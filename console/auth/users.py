"""Members of staff: add, list, change, disable."""

from __future__ import annotations

import re

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from console.auth.roles import ROLES
from core.audit import add_audit_event
from core.db.models import User, UserSession
from core.errors import Conflict, InvalidInput, NotFound

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|[^@\s]+@localhost")
LONGEST = 200


def add_user(  # noqa: PLR0917 - the columns of a member of staff
    session: Session, tenant_id: str, email: str, role: str, password_hash: str, by: str, name: str = ""
) -> User:
    """Add a member of staff.

    Raises:
        InvalidInput: the address or the role is invalid.
        Conflict: the address is already in use.
    """
    email = email.strip().lower()
    if not EMAIL.fullmatch(email) or len(email) > LONGEST:
        raise InvalidInput(f"{email!r} is no e-mail address.")
    _refuse_unknown(role)
    if session.scalar(select(User).filter_by(tenant_id=tenant_id, email=email)):
        raise Conflict(f"{email} is a member of staff already.")
    name = name.strip()[:LONGEST] or email.partition("@")[0]
    user = User(tenant_id=tenant_id, email=email, name=name, role=role, password_hash=password_hash)
    session.add(user)
    session.flush()
    add_audit_event(session, tenant_id, "user", user.id, "added", by, email=email, role=role)
    return user


def list_users(session: Session, tenant_id: str) -> list[User]:
    return list(session.scalars(select(User).filter_by(tenant_id=tenant_id).order_by(User.email)))


def count_users(session: Session, tenant_id: str) -> int:
    return session.scalar(select(func.count()).select_from(User).filter_by(tenant_id=tenant_id)) or 0


def get_user(session: Session, tenant_id: str, who: str) -> User:
    """Return a member of staff by e-mail address or id.

    Raises:
        NotFound: there is no such member of staff.
    """
    query = select(User).filter_by(tenant_id=tenant_id).where((User.email == who.strip().lower()) | (User.id == who))
    user = session.scalar(query)
    if user is None:
        raise NotFound(f"There is no member of staff {who!r}.")
    return user


def update_user(session: Session, user: User, by: str, *, role: str | None = None, active: bool | None = None) -> None:
    """Change the role or the active flag; a disabled member of staff is signed out at once.

    Raises:
        InvalidInput: the role does not exist.
        Conflict: no other active admin would be left.
    """
    if role is not None:
        _refuse_unknown(role)
    role, active = user.role if role is None else role, user.active if active is None else active
    if (user.role, user.active) == (role, active):
        return
    if user.role == "admin" and user.active and (role != "admin" or not active):
        _refuse_last_admin(session, user)
    user.role, user.active = role, active
    if not active:
        sign_out_everywhere(session, user)
    add_audit_event(session, user.tenant_id, "user", user.id, "changed", by, email=user.email, role=role, active=active)


def set_password(session: Session, user: User, password_hash: str, by: str, keep: str | None = None) -> None:
    """Set a new password and end every session except ``keep`` (an id)."""
    user.password_hash = password_hash
    sign_out_everywhere(session, user, keep)
    add_audit_event(session, user.tenant_id, "user", user.id, "password", by, email=user.email)


def sign_out_everywhere(session: Session, user: User, keep: str | None = None) -> None:
    session.execute(delete(UserSession).where(UserSession.user_id == user.id, UserSession.id != (keep or "")))


def _refuse_unknown(role: str) -> None:
    if role not in ROLES:
        raise InvalidInput(f"{role!r} is no role; there are {', '.join(ROLES)}.")


def _refuse_last_admin(session: Session, user: User) -> None:
    others = select(func.count()).select_from(User).filter_by(tenant_id=user.tenant_id, role="admin", active=True)
    if not session.scalar(others.where(User.id != user.id)):
        raise Conflict(f"{user.email} is the last admin: make somebody else admin first.")
