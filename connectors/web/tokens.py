"""Session tokens: signed, expiring, and valid for one conversation of one tenant."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from core.errors import Unauthorised

_SALT = "rejoinder.web.session"


@dataclass(frozen=True)
class IssuedSession:
    """A session token and its expiry time."""

    token: str
    expires_at: datetime


@dataclass(frozen=True)
class Visitor:
    """A browser with a valid token."""

    conversation_id: str
    customer_id: str | None = None
    """The same in all conversations of the browser; tokens of older versions have none."""


@dataclass(frozen=True)
class SessionTokens:
    """Issues and verifies the session tokens of a tenant."""

    secret: str = field(repr=False)
    tenant: str
    seconds: int

    def issue(self, conversation_id: str, customer_id: str | None = None) -> IssuedSession:
        """Issue a new token for the conversation."""
        token = self._build_serializer().dumps({"t": self.tenant, "c": conversation_id, "u": customer_id})
        return IssuedSession(str(token), datetime.now(UTC) + timedelta(seconds=self.seconds))

    def visitor(self, token: str) -> Visitor:
        """Return the visitor and conversation that a token identifies.

        Raises:
            Unauthorised: the token is forged, expired or of another tenant.
        """
        claims = self._decode_claims(token, self.seconds)
        return Visitor(str(claims["c"]), claims.get("u"))

    def customer(self, token: str) -> str | None:
        """Return the customer of a token, even an expired one; None if it is invalid or has no customer."""
        try:
            return self._decode_claims(token, None).get("u")
        except Unauthorised:
            return None

    def _decode_claims(self, token: str, max_age: int | None) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = self._build_serializer().loads(token, max_age=max_age)
        except SignatureExpired:
            raise Unauthorised("This chat session has expired.") from None
        except BadSignature:
            raise Unauthorised("This chat session is not valid.") from None
        if claims.get("t") != self.tenant:
            raise Unauthorised("This chat session is not valid.")
        return claims

    def _build_serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret, salt=_SALT)
