"""Replies to photos, files and locations sent without text: acknowledge them and ask what they are about.

The bot is not asked, since it could only guess; a pending form stays open. The file stays with the conversation, for an
agent who takes it over.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.attachments import describe_attachments
from core.bot.texts import Texts
from core.db.models import Message
from core.rasa.answer import Reply

ALBUM = timedelta(minutes=1)
"""Files that follow the first one within this time belong to it, and are not acknowledged again."""
OUTCOME: Final = "clarified"


def acknowledge_files(session: Session, message: Message, texts: Texts) -> tuple[Reply, ...] | None:
    """Return the acknowledgement, nothing for further files of an album, or None if the message has text."""
    if not _has_only_attachments(message):
        return None
    if _belongs_to_album(session, message):
        return ()
    return (Reply(_choose_reply_text(message, texts), buttons=(_to_a_person(texts),), kind="file_receipt"),)


def _has_only_attachments(message: Message) -> bool:
    return bool(message.attachments) and message.text == describe_attachments(message.attachments)


def _choose_reply_text(message: Message, texts: Texts) -> str:
    kinds = {each["kind"] for each in message.attachments}
    said = {"image": texts.received_image, "location": texts.received_location}
    return said.get(kinds.pop(), texts.received_file) if len(kinds) == 1 else texts.received_file


def _to_a_person(texts: Texts) -> dict[str, str]:
    return {"title": texts.person, "payload": "/talk_to_person"}


def _belongs_to_album(session: Session, message: Message) -> bool:
    earlier = select(Message).where(
        Message.conversation_id == message.conversation_id,
        Message.seq < message.seq,
        Message.created_at > message.created_at - ALBUM,
    )
    for before in session.scalars(earlier.order_by(Message.seq.desc())):
        if before.kind == "file_receipt":
            return True
        if not _has_only_attachments(before):
            return False
    return False
