"""Messages of staff and the bot outside a turn: stored, then delivered on the customer's current channel."""

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
    """Store an agent's reply; return the message, and False if the same event was stored before.

    The conversation must be locked; ``event_id`` has at most 50 characters. The reply also goes to the desks other than
    ``desk``, where it was written, and always to the console, where colleagues may view the same handoff.

    Raises:
        InvalidInput: the text is empty or too long.
        Conflict: the conversation has no open handoff.
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
    """Store a message of the bot about a handoff; the conversation must be locked and owned by the bot."""
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
    """Queue a customer's message for the desks."""
    _enqueue_for_desks(session, conversation, handoff, message, but=None)


def said_before(session: Session, tenant_id: str, desk: str, event_id: str) -> Message | None:
    """Return the message stored for this event of a desk, or None."""
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
