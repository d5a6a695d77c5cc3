"""Twilio may take a message and tell only later that the customer's 24 hours were over: it goes out again, as a template."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import Address, Conversation, Delivery

WAITS = ("queued", "sending")


def was_closed(session: Session, channel: str, delivery_id: str, sid: str, at: datetime) -> bool:
    """Send it again, outside the window; False while it is not yet noted which of Twilio's messages it is.

    What was said again meanwhile, or has arrived after all, stays as it is.
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
