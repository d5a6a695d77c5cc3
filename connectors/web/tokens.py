"""Session tokens: signed, dated, and good for one conversation of one tenant."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from core.errors import Unauthorised

_SALT = "rejoinder.web.session"


@dataclass(frozen=True)
class Issued:
    """A token and until when it is good."""

    token: str
    expires_at: datetime


@dataclass(frozen=True)
class Tokens:
    """Issues and reads the tokens of one tenant."""

    secret: str = field(repr=False)
    tenant: str
    seconds: int

    def issue(self, conversation_id: str) -> Issued:
        """A new token for the conversation."""
        token = self._serializer().dumps({"t": self.tenant, "c": conversation_id})
        return Issued(str(token), datetime.now(UTC) + timedelta(seconds=self.seconds))

    def conversation(self, token: str) -> str:
        """The conversation that the token opens.

        Raises:
            Unauthorised: forged, expired, or of another tenant.
        """
        try:
            claims = self._serializer().loads(token, max_age=self.seconds)
        except SignatureExpired:
            raise Unauthorised("This chat session has expired.") from None
        except BadSignature:
            raise Unauthorised("This chat session is not valid.") from None
        if claims.get("t") != self.tenant:
            raise Unauthorised("This chat session is not valid.")
        return str(claims["c"])

    def _serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret, salt=_SALT)
