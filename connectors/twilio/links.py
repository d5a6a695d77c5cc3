"""Signed links to local files, from which Twilio fetches them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from core.db.models import Message
from core.errors import NotFound

GOOD_FOR_SECONDS = 48 * 3600


@dataclass(frozen=True)
class FileLinks:
    """Creates and opens signed file links."""

    secret: str = field(repr=False)
    home: Path

    def to(self, base: str, message_id: str, place: int) -> str:
        """Return the link to an attachment of a message."""
        return f"{base}/channels/twilio/files/{self._build_serializer().dumps([message_id, place])}"

    def open(self, session: Session, token: str) -> tuple[Path, str]:
        """Return the path and content type of the linked file.

        Raises:
            NotFound: the link is forged or expired, or the file is gone.
        """
        try:
            message_id, place = self._build_serializer().loads(token, max_age=GOOD_FOR_SECONDS)
            message = session.get(Message, message_id)
            attachment = message.attachments[place] if message else {}
        except (BadSignature, IndexError, ValueError):
            raise NotFound("There is no such file.") from None
        path = (self.home / str(attachment.get("path", "-"))).resolve()
        if not path.is_relative_to(self.home.resolve()) or not path.is_file():
            raise NotFound("There is no such file.")
        return path, str(attachment["content_type"])

    def _build_serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret, salt="rejoinder.twilio.files")
