"""The life cycle of a delivery: what is due, one attempt, and its result."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Literal, cast

import structlog
from sqlalchemy import Select, bindparam, exists, select, update
from sqlalchemy.orm import Session, aliased

from core import outbox
from core.db.models import Conversation, Customer, Delivery, DeskThread, Handoff, Message
from core.db.models.statuses import DeliveryState
from core.delivery.payload import Outgoing, Sent, load_outgoing
from core.errors import DeliveryFailed, InvalidInput, Permanent, Retry, Unknown

log = structlog.get_logger()

OPEN = ("queued", "sending")
FIRST_WAIT = 1.0
LONGEST_WAIT = 300.0
GIVE_UP_AFTER = timedelta(hours=24)
"""How long to retry; after an outage of some hours, a vendor still gets everything in order."""
AT_ONCE = 100
REPORTED = ("sent", "delivered", "read", "failed")
_RANKS = {"sent": 1, "failed": 2, "dead": 2, "delivered": 3, "read": 4}
"""A status replaces only lower ones; states not listed are not sent yet."""


def requeue_deliveries(session: Session) -> int:
    """Requeue the deliveries that a killed process left in progress; return how many."""
    row = update(Delivery).where(Delivery.state == "sending").values(state="queued", possible_duplicate=True)
    return len(session.execute(row.returning(Delivery.id)).all())


def claim_due_deliveries(session: Session, at: datetime) -> list[Outgoing]:
    """Claim the due deliveries: the first open one of each conversation and destination."""
    rows = session.execute(_DUE, {"at": at}).all()
    for row, *_ in rows:
        row.state, row.attempts, row.updated_at = "sending", row.attempts + 1, at
    return [load_outgoing(session, row, thread) for row, thread, *_ in rows]


def _build_due_query() -> Select[Delivery, DeskThread, Conversation, Customer, Message, Handoff]:
    """Build one query for the due deliveries and everything that `load_outgoing` reads."""
    earlier = aliased(Delivery)
    before = exists().where(
        earlier.conversation_id == Delivery.conversation_id,
        earlier.destination == Delivery.destination,
        earlier.state.in_(OPEN),
        earlier.seq < Delivery.seq,
    )
    shown = (DeskThread.handoff_id == Delivery.handoff_id) & (DeskThread.desk == Delivery.destination)
    return (
        select(Delivery, DeskThread, Conversation, Customer, Message, Handoff)
        .join(Conversation, Conversation.id == Delivery.conversation_id)
        .outerjoin(Customer, Customer.id == Conversation.customer_id)
        .outerjoin(Message, Message.id == Delivery.message_id)
        .outerjoin(Handoff, Handoff.id == Delivery.handoff_id)
        .outerjoin(DeskThread, shown)
        .where(Delivery.state == "queued", Delivery.next_at <= bindparam("at"), ~before)
        .order_by(Delivery.next_at)
        .limit(AT_ONCE)
    )


_DUE = _build_due_query()


def next_due(session: Session) -> datetime | None:
    """Return when the next queued delivery is due, or None."""
    return session.scalar(select(Delivery.next_at).filter_by(state="queued").order_by(Delivery.next_at).limit(1))


def record_sent_attempt(session: Session, delivery_id: str, sent: Sent, at: datetime) -> None:
    """Record that the vendor accepted a delivery, or a part of it."""
    row = session.get_one(Delivery, delivery_id)
    row.parts_sent, row.vendor_id, row.error = row.parts_sent + 1, sent.vendor_id or row.vendor_id, None
    row.sent_at = row.updated_at = at
    row.possible_duplicate = row.possible_duplicate and not sent.once
    if row.state != "sending":
        return  # the vendor's status arrived first
    row.state = "queued" if sent.more else "sent"
    if sent.more:
        row.next_at, row.attempts = at, 0
    elif (message := _find_staff_reply(session, row)) and message.vendor:
        outbox.notify_reply_arrival(session, row, message)


def record_failed_attempt(session: Session, delivery_id: str, error: DeliveryFailed, at: datetime) -> None:
    """Record that an attempt failed, and schedule a retry or give up."""
    row = session.get_one(Delivery, delivery_id)
    row.error, row.updated_at = f"{type(error).__name__}: {error}", at
    row.waits_for = error.waits_for if isinstance(error, Retry) else None
    if isinstance(error, Unknown):
        row.possible_duplicate = True
    if isinstance(error, Permanent):
        return _fail_delivery(session, row, "failed")
    if at - row.created_at >= GIVE_UP_AFTER:
        return _fail_delivery(session, row, "dead")
    after = error.after if isinstance(error, Retry) else None
    row.state, row.next_at = "queued", at + timedelta(seconds=compute_retry_delay(row.attempts, after))
    return None


def compute_retry_delay(attempts: int, after: float | None = None, jitter: float | None = None) -> float:
    """Return the seconds until the next attempt: doubled each time up to about five minutes, never less than ``after``."""
    jitter = random.random() if jitter is None else jitter  # noqa: S311 - it only keeps retries apart
    usual = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempts - 1, 20)) * (0.75 + jitter / 2)
    return max(usual, after or 0.0)


def record_delivery_status(
    session: Session,
    destination: str,
    state: str,
    at: datetime,
    *,
    delivery_id: str | None = None,
    vendor_id: str | None = None,
    error: str | None = None,
) -> bool:
    """Record a vendor's status report: sent, delivered, read or failed. Return False if the delivery is unknown.

    Statuses may arrive late, twice and out of order; a lower one never replaces a higher one. Pass our ``delivery_id``
    if the vendor returns it, since a status may arrive before the response with the vendor's own id.

    Raises:
        InvalidInput: the state is unknown.
    """
    if state not in REPORTED:
        raise InvalidInput(f"The state is one of {', '.join(REPORTED)}.")
    which = {"id": delivery_id} if delivery_id else {"vendor_id": vendor_id}
    row = session.scalar(select(Delivery).filter_by(destination=destination, **which).order_by(Delivery.id.desc()))
    if row is None:
        return False
    is_out = row.state not in OPEN  # before that, a status may concern only one of several parts
    if _RANKS[state] > _RANKS.get(row.state, 0) and (is_out or state == "failed"):
        row.state, row.updated_at = cast("DeliveryState", state), at
        if state == "failed":
            row.error = error or "the vendor could not deliver it"
            _fail_delivery(session, row, "failed")
        elif message := _find_staff_reply(session, row):
            outbox.notify_reply_progress(session, row, message)
    return True


def _fail_delivery(session: Session, row: Delivery, state: Literal["failed", "dead"]) -> None:
    """Mark a delivery as lost; log it for the operator, and notify the desks if an agent wrote it."""
    row.state = state
    log.error(
        "delivery failed", delivery_id=row.id, destination=row.destination, conversation_id=row.conversation_id,
        tenant_id=row.tenant_id, kind=row.kind, attempts=row.attempts, error=row.error,
    )  # fmt: skip
    if message := _find_staff_reply(session, row):
        outbox.notify_reply_failure(session, row, message)


def _find_staff_reply(session: Session, row: Delivery) -> Message | None:
    """Return the agent's message that is being delivered to the customer, or None."""
    message = session.get(Message, row.message_id) if row.message_id and not row.handoff_id else None
    return message if message and message.speaker == "agent" else None
