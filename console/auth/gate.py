"""Authenticates requests by session cookie or API token."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from fastapi import Request, Response
from sqlalchemy.orm import Session

from console.auth import passwords, sessions, users
from console.auth.attempts import Attempts
from console.auth.roles import Permission
from console.auth.sessions import API, Person, matches_secret
from core.db import Database
from core.db.models import User
from core.errors import Forbidden, InvalidInput, NotFound, Unauthorised

COOKIE = "rejoinder_staff"
CSRF_HEADER = "x-csrf-token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Gate:
    """Authenticates and authorises one tenant's staff."""

    database: Database
    tenant: str
    token: str
    """Token of the staff API."""
    attempts: Attempts = field(default_factory=Attempts)

    async def signed_in(self, request: Request) -> Person | None:
        """Return the person whose session cookie the request has, or None."""
        token = request.cookies.get(COOKIE)
        if not token:
            return None
        return await self.database.run(lambda session: sessions.find_person(session, self.tenant, token))

    async def caller(self, request: Request) -> Person:
        """Return the caller of the API: the token's holder, or a signed-in person, with the CSRF token for changes.

        Raises:
            Unauthorised: there is no valid token or session.
            Forbidden: a change lacks the session's CSRF token.
        """
        if given := request.headers.get("authorization"):
            if matches_secret(given, f"Bearer {self.token}"):
                return API
            raise Unauthorised("This is not the API token: `rejoinder token` prints it.")
        person = await self.signed_in(request)
        if person is None:
            raise Unauthorised("The staff API needs its token (`rejoinder token` prints it) or a signed-in session.")
        if request.method not in SAFE:
            self.check_csrf(person, request.headers.get(CSRF_HEADER, ""))
        return person

    def check_csrf(self, person: Person, given: str) -> None:
        """Refuse a request that another page sent.

        Raises:
            Forbidden: the token is not the session's.
        """
        if not person.csrf or not matches_secret(given, person.csrf):
            raise Forbidden("This form is too old, or did not come from this page. Load the page again.")

    async def sign_in(self, address: str, email: str, password: str) -> str | None:
        """Return a new session's cookie, or None if address and password do not match.

        Raises:
            TooManyRequests: there were too many attempts.
        """
        self.attempts.count(address, email)
        user = await self.database.run(lambda session: _find_active_user(session, self.tenant, email))
        right = await asyncio.to_thread(passwords.matches_password, user.password_hash if user else None, password)
        if user is None or not right:
            return None
        self.attempts.forgive(email)
        token, _ = await self.database.run(lambda s: sessions.open_session(s, users.get_user(s, self.tenant, user.id)))
        return token

    async def change_password(self, person: Person, old: str, new: str) -> None:
        """Set a new password and end the person's other sessions.

        Raises:
            InvalidInput: the old password is wrong, or the new one too easy.
            TooManyRequests: there were too many attempts.
        """
        self.attempts.count(f"password of {person.user_id}", person.email)
        user = await self.database.run(lambda session: users.get_user(session, self.tenant, person.user_id or ""))
        if not await asyncio.to_thread(passwords.matches_password, user.password_hash, old):
            raise InvalidInput("The present password is not right.")
        stored = await asyncio.to_thread(passwords.hash_password, new, person.email)
        await self.database.run(
            lambda s: users.set_password(
                s, users.get_user(s, self.tenant, user.id), stored, person.email, person.session_id
            )
        )
        self.attempts.forgive(person.email)


def require_permission(person: Person, permission: Permission) -> None:
    """Check that a person has a permission.

    Raises:
        Forbidden: the person's role does not allow it.
    """
    if not person.may(permission):
        raise Forbidden(f"Your role ({person.role}) does not allow this: it needs {permission}.")


def set_cookie(request: Request, response: Response, token: str) -> None:
    """Set the session cookie, protected from scripts and from other pages' forms."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(sessions.LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path="/",
    )


def _find_active_user(session: Session, tenant_id: str, email: str) -> User | None:
    try:
        user = users.get_user(session, tenant_id, email)
    except NotFound:
        return None
    return user if user.active else None
