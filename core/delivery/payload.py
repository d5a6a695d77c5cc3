"""The payload that a channel or desk delivers, and the protocol that it implements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy.orm import Session

from core import messages
from core.attachments import in_words
from core.db.models import Delivery, DeskThread, Handoff, Message
from core.events import MessageStored
from core.handoffs.staff.views import HandoffView, Thread, build_handoff_view

Kind = Literal["message", "alert", "update"]


@dataclass(frozen=True)
class Outgoing:
    """One attempt to deliver something to one destination."""

    id: str
    """The same for every attempt: an idempotency key for vendors that support one."""
    tenant_id: str
    conversation_id: str
    destination: str
    address: str
    """Address on the channel; empty for a desk."""
    kind: Kind
    text: str
    """The whole content as plain text."""
    message: MessageStored | None
    """For a message: the message as the customer may see it."""
    handoff: HandoffView | None
    """For an alert, an update, or a message to a desk."""
    event: str
    """For an alert or update: the event that it reports."""
    thread: Thread | None
    """The thread in which this desk already shows the handoff."""
    part: int
    """Index of the part that is due, from 0, if the vendor takes a long message in several."""
    attempt: int
    """Number of the attempt, from 1."""
    maybe_sent: bool
    """Whether an earlier attempt may have succeeded; senders that can check with the vendor should."""
    created_at: datetime


@dataclass(frozen=True)
class Sent:
    """The vendor accepted the delivery."""

    vendor_id: str | None = None
    """The vendor's id, to which its status reports refer."""
    more: bool = False
    """Another part is due."""
    once: bool = False
    """Whether it was certainly sent only once: the sender checked, or the vendor recognises the key."""


class Sender(Protocol):
    """The sender of a channel or desk, registered by the name of its destination."""

    async def send(self, outgoing: Outgoing) -> Sent:
        """Deliver the payload, or the part of it that is due.

        Raises:
            Retry: not possible now; try again later.
            Permanent: never possible; the delivery has failed.
            Unknown: the vendor may have accepted it.
        """
        ...


def load_outgoing(session: Session, row: Delivery, shown_at: DeskThread | None) -> Outgoing:
    """Load everything that the sender needs, in its current state."""
    message = session.get(Message, row.message_id) if row.message_id else None
    handoff = session.get(Handoff, row.handoff_id) if row.handoff_id else None
    shown = build_handoff_view(session, handoff) if handoff else None
    return Outgoing(
        id=row.id,
        tenant_id=row.tenant_id,
        conversation_id=row.conversation_id,
        destination=row.destination,
        address=row.address,
        kind=row.kind,
        text=in_words(message.text, message.attachments) if message else _format_notice_text(row, shown),
        message=messages.build_message_event(session, message) if message else None,
        handoff=shown,
        event=row.cause,
        thread=Thread(shown_at.workspace, shown_at.channel, shown_at.thread) if shown_at else None,
        part=row.parts_sent,
        attempt=row.attempts,
        maybe_sent=row.possible_duplicate,
        created_at=row.created_at,
    )


def _format_notice_text(row: Delivery, handoff: HandoffView | None) -> str:
    if handoff is None:
        return row.cause
    who = handoff.customer_name or "A customer"
    if row.kind == "alert":
        urgent = "Urgent: " if handoff.urgency == "high" else ""
        return f"{urgent}{who} waits for a person on {handoff.channel}. {handoff.reason} {handoff.summary}".strip()
    by = f" by {handoff.claimed_by}" if handoff.claimed_by else ""
    return f"{who}: {row.cause.replace('_', ' ')}, now {handoff.state.replace('_', ' ')}{by}."
