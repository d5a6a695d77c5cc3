"""What staff and the bot say to a customer outside a turn: stored, then delivered wherever the customer is."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from core import outbox
from core.db.models import Conversation, Handoff, Message
from core.db.models.statuses import MessageKind
from core.errors import InvalidInput
from core.handoffs import settings
from core.handoffs.transitions import HandoffEvent, apply_transition

LONGEST = 4000


def store_staff_reply(
    session: Session,
    conversation: Conversation,
    text: str,
    by: str,
    *,
    desk: str,
    event_id: str | None = None,
    attachments: list[dict[str, Any]] | None = None,
) -> tuple[Message, bool]:
    """One of the staff answers; the message, and False where the same event had come before.

    The conversation must be locked; ``event_id`` has at most 50 characters. Desks other than ``desk``, from which it
    came, are told too; the console always is, since colleagues there may look at the same handoff.

    Raises:
        InvalidInput: the text is empty or too long.
        Conflict: the conversation is not with a person.
    """
    if event_id and (known := said_before(session, conversation.tenant_id, desk, event_id)):
        return known, False
    text = text.strip()
    if not text and not attachments:
        raise InvalidInput("The reply is empty.")
    if len(text) > LONGEST:
        raise InvalidInput(f"The reply is too long: {len(text)} characters, at most {LONGEST}.")
    handoff = apply_transition(
        session, conversation, HandoffEvent("reply", by, event_id=event_id and f"{desk}:{event_id}")
    ).handoff
    message = Message(
        tenant_id=conversation.tenant_id,
        conversation_id=conversation.id,
        seq=conversation.next_seq(),
        speaker="agent",
        author=by,
        text=text,
        attachments=attachments or [],
        vendor=desk if event_id else None,
        client_id=event_id,
    )
    _store_message(session, conversation, message)
    _enqueue_for_desks(session, conversation, handoff, message, but=desk)
    return message, True


def store_announcement(
    session: Session, conversation: Conversation, text: str, kind: MessageKind | None = None
) -> Message:
    """The bot says how a handoff goes on; the conversation must be locked, and the bot have the word."""
    message = Message(
        tenant_id=conversation.tenant_id,
        conversation_id=conversation.id,
        seq=conversation.next_seq(),
        speaker="bot",
        kind=kind,
        text=text,
    )
    _store_message(session, conversation, message)
    return message


def forward_to_desks(session: Session, conversation: Conversation, handoff: Handoff, message: Message) -> None:
    """What the customer said goes to the desks."""
    _enqueue_for_desks(session, conversation, handoff, message, but=None)


def said_before(session: Session, tenant_id: str, desk: str, event_id: str) -> Message | None:
    """What staff said with this event of a desk."""
    return Message.from_vendor(session, tenant_id, desk, event_id)


def _store_message(session: Session, conversation: Conversation, message: Message) -> None:
    if conversation.status == "closed":
        conversation.status, conversation.closed_at = "open", None
    session.add(message)
    session.flush()
    outbox.to_customer(session, conversation, message)


def _enqueue_for_desks(
    session: Session, conversation: Conversation, handoff: Handoff, message: Message, *, but: str | None
) -> None:
    desks = settings.get_handoff_settings(session, conversation.tenant_id).destinations(alert=False)
    outbox.to_desks(
        session, conversation, handoff, message, [desk for desk in desks if desk != but or desk == settings.CONSOLE]
    )
