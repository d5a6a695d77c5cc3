"""What comes in: a customer's message, stored before anything else happens."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import Conversation, Message, Turn
from core.errors import InvalidInput, NotFound
from core.turns import closing

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Press:
    """A press on a button of an earlier message."""

    message_id: str
    index: int


@dataclass(frozen=True)
class Inbound:
    """A message as it came from a channel; exactly one of ``text`` and ``press`` is set."""

    conversation_id: str
    client_id: str
    """The sender's own id of this message."""
    text: str | None = None
    press: Press | None = None


@dataclass(frozen=True)
class Received:
    """A message that is safely stored."""

    message_id: str
    turn_id: str
    seq: int
    new: bool
    """False where the same client id had come before."""


def clean(text: str, limit: int) -> str:
    """The text in NFC without control characters.

    Raises:
        InvalidInput: nothing is left, or it is longer than ``limit`` characters.
    """
    text = _CONTROL.sub("", unicodedata.normalize("NFC", text)).strip()
    if not any(not unicodedata.category(c).startswith(("C", "Z")) for c in text):
        raise InvalidInput("The message is empty.")
    if len(text) > limit:
        raise InvalidInput(f"The message is too long: {len(text)} characters, at most {limit}.")
    return text


def store(session: Session, inbound: Inbound, limit: int) -> tuple[Message, Turn, bool]:
    """Store the message and its waiting turn; the third value is False where it was there already.

    Raises:
        NotFound: there is no such conversation, message or button.
        InvalidInput: the text is empty or too long.
    """
    conversation = Conversation.lock(session, inbound.conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    known = session.scalar(select(Message).filter_by(conversation_id=conversation.id, client_id=inbound.client_id))
    if known:
        return known, session.scalars(select(Turn).filter_by(message_id=known.id)).one(), False
    text, payload = _words(session, inbound, limit)
    closing.reopen(conversation)
    message = Message(
        tenant_id=conversation.tenant_id,
        conversation_id=conversation.id,
        seq=conversation.next_seq(),
        speaker="customer",
        text=text,
        payload=payload,
        client_id=inbound.client_id,
    )
    session.add(message)
    session.flush()
    turn = Turn(
        tenant_id=conversation.tenant_id,
        conversation_id=conversation.id,
        message_id=message.id,
        channel=conversation.channel,
    )
    session.add(turn)
    session.flush()
    return message, turn, True


def _words(session: Session, inbound: Inbound, limit: int) -> tuple[str, str | None]:
    if inbound.press is None:
        return clean(inbound.text or "", limit), None
    offered = session.get(Message, inbound.press.message_id)
    if offered is None or offered.conversation_id != inbound.conversation_id:
        raise NotFound("There is no such message.")
    if not 0 <= inbound.press.index < len(offered.buttons):
        raise NotFound("There is no such button.")
    button = offered.buttons[inbound.press.index]
    return button["title"], button["payload"]
