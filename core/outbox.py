"""Writes what is due, in the transaction that makes it due; the conversation must be locked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import Conversation, Delivery, Handoff, Message


def to_customer(session: Session, conversation: Conversation, message: Message) -> Delivery:
    """A stored message, for the customer, wherever the conversation is delivered to now."""
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
    """A stored message, for these desks."""
    rows = [
        Delivery(destination=desk, kind="message", key=message.id, message_id=message.id, handoff_id=handoff.id)
        for desk in desks
    ]
    _store_deliveries(session, conversation, rows)


@dataclass(frozen=True)
class Notice:
    """What is to be told of a handoff."""

    kind: Literal["alert", "update"]
    key: str
    """The id of the transition, or of what it is about."""
    event: str
    message_id: str | None = None
    """The reply that it is about, where it is about one."""


def to_staff(
    session: Session, conversation: Conversation, handoff: Handoff, notice: Notice, desks: Iterable[str]
) -> None:
    """What became of a handoff, for these desks."""
    told = {"kind": notice.kind, "key": notice.key, "cause": notice.event, "handoff_id": handoff.id}
    rows = [Delivery(destination=desk, message_id=notice.message_id, **told) for desk in desks]
    _store_deliveries(session, conversation, rows)


def to_phone(session: Session, conversation: Conversation, handoff: Handoff, notice: Notice, number: str) -> None:
    """The same as an SMS."""
    told = {"kind": notice.kind, "key": notice.key, "cause": notice.event, "handoff_id": handoff.id}
    _store_deliveries(session, conversation, [Delivery(destination="sms", address=number, **told)])


def notify_reply_failure(session: Session, failed: Delivery, message: Message) -> None:
    """Tell the desks that what one of the staff said did not arrive."""
    _enqueue_notice(session, message, Notice("update", failed.id, "undelivered", message.id))


def notify_reply_arrival(session: Session, sent: Delivery, message: Message) -> None:
    """Tell the desk where it was written that the customer's channel took what one of the staff said."""
    _enqueue_notice(
        session, message, Notice("update", f"{sent.id}:arrived", "arrived", message.id), only=message.vendor
    )


def notify_reply_progress(session: Session, sent: Delivery, message: Message) -> None:
    """Tell the console how far what one of the staff said has come: delivered, or read."""
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
    """Each once for its destination and key; what is there already is returned."""
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
