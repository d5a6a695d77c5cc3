"""Resend a message as a template if Twilio accepted it and only later reported that the 24-hour window was closed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import Address, Conversation, Delivery

WAITS = ("queued", "sending")


def was_closed(session: Session, channel: str, delivery_id: str, sid: str, at: datetime) -> bool:
    """Requeue the delivery as outside the window; return False while its vendor id is not yet stored.

    A delivery that was sent again or has arrived in the meantime stays unchanged.
    """
    row = session.scalar(select(Delivery).filter_by(id=delivery_id, destination=channel))
    if row is None:
        return True
    Conversation.lock(session, row.conversation_id)
    session.refresh(row)
    if row.state in WAITS and row.vendor_id is None:
        return False
    if row.state == "sent" and row.vendor_id == sid:
        where = {"tenant_id": row.tenant_id, "channel": channel, "address": row.address}
        address = session.scalar(select(Address).filter_by(**where))
        if address and address.last_inbound_at and row.sent_at and address.last_inbound_at < row.sent_at:
            address.last_inbound_at = None
        row.state, row.next_at, row.updated_at, row.vendor_id = "queued", at, at, None
        row.parts_sent = row.attempts = 0
    return True
