"""Messages that the channel itself sends through the outbox, and the record of handled Twilio events."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, outbox
from core.db.models import AuditEvent, Conversation, Message
from core.handoffs.transitions import may_speak

OPT_OUT, NOTICE = "opt_out", "notice"
"""Causes of a delivery; ``OPT_OUT`` is sent even though the customer has opted out."""
LEFT_ALONE = "left_alone"
_KIND = "inbound"


def send_system_message(session: Session, conversation_id: str, text: str, event: str = NOTICE) -> None:
    """Store a message and queue its delivery; while an agent owns the conversation, only opt-out messages are sent."""
    conversation = Conversation.lock(session, conversation_id)
    if conversation is None or conversation.address is None:
        return
    if event != OPT_OUT and not may_speak(session, conversation_id):
        return
    message = Message(
        tenant_id=conversation.tenant_id,
        conversation_id=conversation.id,
        seq=conversation.next_seq(),
        speaker="bot",
        text=text,
    )
    session.add(message)
    session.flush()
    outbox.to_customer(session, conversation, message).cause = event


def is_event_handled(session: Session, tenant_id: str, sid: str) -> bool:
    """Whether this event was handled before."""
    which = {"tenant_id": tenant_id, "kind": _KIND, "subject_id": sid}
    return session.scalar(select(AuditEvent.id).filter_by(**which)) is not None


def has_seen_event(session: Session, tenant_id: str, channel: str, sid: str) -> bool:
    """Whether the event is stored as a message or was handled otherwise."""
    return Message.from_vendor(session, tenant_id, channel, sid) is not None or is_event_handled(
        session, tenant_id, sid
    )


def first_time(session: Session, tenant_id: str, sid: str, action: str, channel: str) -> bool:
    """Record a non-message event as handled; return False if it was already. Lock the conversation first."""
    if is_event_handled(session, tenant_id, sid):
        return False
    audit.add_audit_event(session, tenant_id, _KIND, sid, action, channel)
    return True
