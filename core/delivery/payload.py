"""What a channel or desk is handed to deliver, and what it has to be able to do."""

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
    """One thing for one destination, at one attempt."""

    id: str
    """Stays the same at every attempt: a key for vendors that recognise a repeated request."""
    tenant_id: str
    conversation_id: str
    destination: str
    address: str
    """Where on a channel; empty for a desk."""
    kind: Kind
    text: str
    """All of it in plain words."""
    message: MessageStored | None
    """Of a message: as the customer may see it."""
    handoff: HandoffView | None
    """Of an alert or update, or of a message for a desk."""
    event: str
    """Of an alert or update: the event of the state machine that it tells."""
    thread: Thread | None
    """Where this desk shows the handoff already."""
    part: int
    """From 0: which part is due, where the vendor takes a long message in several."""
    attempt: int
    """From 1."""
    maybe_sent: bool
    """An earlier attempt may have got through: who can look it up at the vendor should."""
    created_at: datetime


@dataclass(frozen=True)
class Sent:
    """The vendor took it."""

    vendor_id: str | None = None
    """Its id, by which its status comes back."""
    more: bool = False
    """Another part is due."""
    once: bool = False
    """It is certain that earlier attempts did not send it too: looked up, or the vendor recognises the key."""


class Sender(Protocol):
    """A channel's or desk's way out, known by the name of its destination."""

    async def send(self, outgoing: Outgoing) -> Sent:
        """Deliver it, or the part that is due.

        Raises:
            Retry: not now; the same again later.
            Permanent: never; the delivery has failed.
            Unknown: the vendor may have taken it.
        """
        ...


def load_outgoing(session: Session, row: Delivery, shown_at: DeskThread | None) -> Outgoing:
    """All that its sender needs, as things are now."""
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
