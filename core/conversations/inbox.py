"""Incoming messages: a customer's message is stored before anything else happens."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import customers
from core.attachments import describe_attachments
from core.conversations import lifecycle
from core.db.models import Conversation, Delivery, Message, Turn, get_current_time
from core.errors import InvalidInput, NotFound
from core.sentiment import Mood

WEB = "web"
LOOKED_BACK = 10
"""Number of our latest messages whose choices a customer may still name."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Press:
    """A press on a button of an earlier message."""

    message_id: str
    index: int


@dataclass(frozen=True)
class InboundSender:
    """The sender of a message, where a vendor's address identifies them."""

    tenant_id: str
    channel: str
    address: str


@dataclass(frozen=True)
class Inbound:
    """A normalised message from a channel.

    Exactly one of ``conversation_id`` and ``sender`` is set, and at most one of ``text`` and ``press``; with neither, the
    message has attachments. ``text`` may be combined with attachments.
    """

    conversation_id: str | None
    client_id: str
    """The sender's id of this message; with ``sender``, the vendor's id: at most 64 characters, unique on its channel."""
    text: str | None = None
    press: Press | None = None
    sender: InboundSender | None = None
    attachments: tuple[dict[str, Any], ...] = ()
    """See ``core.attachments`` for the format."""
    reply_to: str | None = None
    """The vendor's id of the quoted message."""
    edits: str | None = None
    """The vendor's id of the earlier customer message that this one replaces; stored as a new message."""
    sent_at: datetime | None = None
    """Send time by the vendor's clock, set where it may be long ago."""
    raw: dict[str, Any] | None = None
    """The vendor's original payload."""


@dataclass(frozen=True)
class Received:
    """A stored message and its turn."""

    conversation_id: str
    message_id: str
    turn_id: str
    seq: int
    new: bool
    """False if a message with this client id was stored before."""


def clean_message_text(text: str, limit: int) -> str:
    """Return the text in NFC without control characters.

    Raises:
        InvalidInput: the text is empty or longer than ``limit`` characters.
    """
    text = _CONTROL.sub("", unicodedata.normalize("NFC", text)).strip()
    if not any(not unicodedata.category(c).startswith(("C", "Z")) for c in text):
        raise InvalidInput("The message is empty.")
    if len(text) > limit:
        raise InvalidInput(f"The message is too long: {len(text)} characters, at most {limit}.")
    return text


def store_inbound_message(
    session: Session, inbound: Inbound, limit: int, mood: Mood | None = None
) -> tuple[Message, Turn, bool]:
    """Store a message and its waiting turn; the third value is False if the message was stored before.

    A new message leaves the conversation locked.

    Raises:
        NotFound: there is no such conversation, message or button.
        InvalidInput: the text is empty or too long.
    """
    if known := _known_from_vendor(session, inbound):
        return known, session.scalars(select(Turn).filter_by(message_id=known.id)).one(), False
    conversation = Conversation.lock(session, _get_conversation_id(session, inbound))
    if conversation is None:
        raise NotFound("There is no such conversation.")
    known = session.scalar(select(Message).filter_by(conversation_id=conversation.id, client_id=inbound.client_id))
    if known:
        return known, session.scalars(select(Turn).filter_by(message_id=known.id)).one(), False
    text, payload = _resolve_message_text(session, replace(inbound, conversation_id=conversation.id), limit)
    lifecycle.reopen_conversation(conversation)
    _follow_customer(conversation, inbound)
    message = Message(
        tenant_id=conversation.tenant_id,
        conversation=conversation,
        seq=conversation.next_seq(),
        speaker="customer",
        text=text,
        payload=payload,
        client_id=inbound.client_id,
        vendor=inbound.sender.channel if inbound.sender else None,
        attachments=list(inbound.attachments),
        raw=inbound.raw,
        sentiment=mood and mood.feeling,
        urgency=mood and mood.urgency,
        created_at=inbound.sent_at or get_current_time(),
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


def _known_from_vendor(session: Session, inbound: Inbound) -> Message | None:
    """Return the message if the vendor has sent it before, even if its sender has another conversation by now."""
    if inbound.sender is None:
        return None
    return Message.from_vendor(session, inbound.sender.tenant_id, inbound.sender.channel, inbound.client_id)


def _get_conversation_id(session: Session, inbound: Inbound) -> str:
    if inbound.sender is None:
        return inbound.conversation_id or ""
    sender = inbound.sender
    return customers.conversation_at(
        session, sender.tenant_id, sender.channel, sender.address, inbound.sent_at or get_current_time()
    ).id


def _follow_customer(conversation: Conversation, inbound: Inbound) -> None:
    """Move the conversation back to the web if its customer writes there."""
    if inbound.sender is None and conversation.address is not None:
        conversation.channel, conversation.address = WEB, None


def _resolve_message_text(session: Session, inbound: Inbound, limit: int) -> tuple[str, str | None]:
    """Return the text of a message, and the payload of the button that it stands for."""
    if inbound.press is None and inbound.attachments and not (inbound.text or "").strip():
        return describe_attachments(inbound.attachments), None
    text = clean_message_text(inbound.text or "", limit) if inbound.press is None else ""
    press = inbound.press or _match_button_title(session, inbound, text)
    return _get_pressed_button(session, press, inbound.conversation_id) if press else (text, None)


def _match_button_title(session: Session, inbound: Inbound, text: str) -> Press | None:
    """Return the button of the latest answer whose title equals the text, ignoring case."""
    choices = [offer for offer in list_offered_choices(session, inbound) if offer.newest and not inbound.attachments]
    named = (
        Press(offer.message_id, index)
        for offer in choices
        for index, title in enumerate(offer.buttons)
        if title.casefold() == text.casefold()
    )
    return next(named, None)


def _get_pressed_button(session: Session, press: Press, conversation_id: str | None) -> tuple[str, str]:
    message = session.get(Message, press.message_id)
    if message is None or message.conversation_id != conversation_id:
        raise NotFound("There is no such message.")
    if not 0 <= press.index < len(message.buttons):
        raise NotFound("There is no such button.")
    button = message.buttons[press.index]
    return button["title"], button.get("payload") or button["title"]


@dataclass(frozen=True)
class Offered:
    """The choices that a message offered."""

    message_id: str
    buttons: tuple[str, ...]
    newest: bool
    """Whether only the rest of the same answer followed, or this is the quoted message."""


def list_offered_choices(session: Session, inbound: Inbound) -> list[Offered]:
    """Return the choices that a message may answer: those of the quoted message, or of the last few, newest first."""
    conversation_id, quoted = inbound.conversation_id, None
    if sender := inbound.sender:
        conversation_id = customers.open_conversation(session, sender.tenant_id, sender.channel, sender.address)
        if inbound.reply_to:
            same = {"tenant_id": sender.tenant_id, "destination": sender.channel, "vendor_id": inbound.reply_to}
            quoted = session.scalar(select(Delivery.message_id).filter_by(**same))
    query = select(Message).where(Message.conversation_id == conversation_id, Message.speaker != "customer")
    query = query.where(Message.id == quoted) if quoted else query.order_by(Message.seq.desc()).limit(LOOKED_BACK)
    last = session.scalars(query).all()
    answer = last[0].turn_id if last else None
    return [
        Offered(m.id, _get_button_titles(m), newest=n == 0 or (answer is not None and m.turn_id == answer))
        for n, m in enumerate(last)
        if m.buttons
    ]


def _get_button_titles(message: Message) -> tuple[str, ...]:
    return tuple(button["title"] for button in message.buttons)
