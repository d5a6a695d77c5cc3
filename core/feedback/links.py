"""Signed links for rating one answer without a chat session, for example from an e-mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from core.db.models import Message
from core.errors import NotFound, Unauthorised

_SALT = "rejoinder.feedback"
DAYS = 30
DAY_SECONDS = 24 * 3600


@dataclass(frozen=True)
class RatedAnswer:
    """The answer that a token grants access to."""

    conversation_id: str
    message_id: str


@dataclass(frozen=True)
class IssuedLink:
    """A token and its expiry time."""

    token: str
    expires_at: datetime


@dataclass(frozen=True)
class RatingLinks:
    """Issues and verifies tokens."""

    secret: str = field(repr=False)
    days: int = DAYS

    def issue(self, session: Session, tenant_id: str, message_id: str) -> IssuedLink:
        """Issue a token for one stored answer.

        Raises:
            NotFound: this tenant has no such answer.
        """
        message = session.get(Message, message_id)
        if message is None or message.tenant_id != tenant_id or message.turn_id is None:
            raise NotFound("There is no such answer.")
        token = self._make_serializer().dumps({"c": message.conversation_id, "m": message.id})
        return IssuedLink(str(token), datetime.now(UTC) + timedelta(days=self.days))

    def answer(self, token: str) -> RatedAnswer:
        """Return the answer that the token is for.

        Raises:
            Unauthorised: the token is forged or expired.
        """
        try:
            claims = self._make_serializer().loads(token, max_age=self.days * DAY_SECONDS)
        except SignatureExpired:
            raise Unauthorised("This feedback link has expired.") from None
        except BadSignature:
            raise Unauthorised("This feedback link is not valid.") from None
        return RatedAnswer(str(claims["c"]), str(claims["m"]))

    def _make_serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret, salt=_SALT)
