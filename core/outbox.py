"""Write deliveries in the transaction that makes them due; the conversation must be locked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import Conversation, Delivery, Handoff, Message


def to_customer(session: Session, conversation: Conversation, message: Message) -> Delivery:
    """Queue a stored message for the customer, on the conversation's current channel."""
    row = Delivery(
        destination=conversation.channel,
        address=conversation.address or "",
        kind="message",
        key=message.id,
        message_id=message.id,
    )
    return _store_deliveries(session, conversation, [row])[0]


def to_desks(
    session: Session, conversation: Conversation, handoff: Handoff, message: Message, desks: Iterable[str]
) -> None:
    """Queue a stored message for the given desks."""
    rows = [
        Delivery(destination=desk, kind="message", key=message.id, message_id=message.id, handoff_id=handoff.id)
        for desk in desks
    ]
    _store_deliveries(session, conversation, rows)


@dataclass(frozen=True)
class Notice:
    """A notice to staff about a handoff."""

    kind: Literal["alert", "update"]
    key: str
    """Unique key: the id of the transition, or one derived from the notice's subject."""
    event: str
    message_id: str | None = None
    """The reply that it is about, if any."""


def to_staff(
    session: Session, conversation: Conversation, handoff: Handoff, notice: Notice, desks: Iterable[str]
) -> None:
    """Queue a notice for the given desks."""
    told = {"kind": notice.kind, "key": notice.key, "cause": notice.event, "handoff_id": handoff.id}
    rows = [Delivery(destination=desk, message_id=notice.message_id, **told) for desk in desks]
    _store_deliveries(session, conversation, rows)


def to_phone(session: Session, conversation: Conversation, handoff: Handoff, notice: Notice, number: str) -> None:
    """Queue a notice as an SMS."""
    told = {"kind": notice.kind, "key": notice.key, "cause": notice.event, "handoff_id": handoff.id}
    _store_deliveries(session, conversation, [Delivery(destination="sms", address=number, **told)])


def notify_reply_failure(session: Session, failed: Delivery, message: Message) -> None:
    """Tell the desks that an agent's reply could not be delivered."""
    _enqueue_notice(session, message, Notice("update", failed.id, "undelivered", message.id))


def notify_reply_arrival(session: Session, sent: Delivery, message: Message) -> None:
    """Tell the desk where an agent's reply was written that the customer's channel accepted it."""
    _enqueue_notice(
        session, message, Notice("update", f"{sent.id}:arrived", "arrived", message.id), only=message.vendor
    )


def notify_reply_progress(session: Session, sent: Delivery, message: Message) -> None:
    """Tell the console that an agent's reply was delivered or read."""
    _enqueue_notice(
        session, message, Notice("update", f"{sent.id}:{sent.state}", sent.state, message.id), only="console"
    )


def _enqueue_notice(session: Session, message: Message, notice: Notice, only: str | None = None) -> None:
    conversation = Conversation.lock(session, message.conversation_id)
    last = select(Handoff).filter_by(conversation_id=message.conversation_id).order_by(Handoff.id.desc()).limit(1)
    handoff = session.scalar(last)
    if conversation and handoff:
        desks = session.scalars(select(Delivery.destination).filter_by(handoff_id=handoff.id).distinct())
        to_staff(session, conversation, handoff, notice, [desk for desk in desks if only in {None, desk}])


def _store_deliveries(session: Session, conversation: Conversation, rows: list[Delivery]) -> list[Delivery]:
    """Store each delivery once per destination and key; return the stored rows, whether new or not."""
    same = Delivery.destination.in_([row.destination for row in rows]) & Delivery.key.in_([row.key for row in rows])
    there = session.scalars(select(Delivery).where(Delivery.tenant_id == conversation.tenant_id, same))
    known = {(row.destination, row.key): row for row in there}
    for row in rows:
        if (row.destination, row.key) in known:
            continue
        conversation.last_delivery += 1
        row.tenant_id, row.conversation_id = conversation.tenant_id, conversation.id
        row.seq = conversation.last_delivery
        session.add(row)
        known[row.destination, row.key] = row
    session.flush()
    return [known[row.destination, row.key] for row in rows]
