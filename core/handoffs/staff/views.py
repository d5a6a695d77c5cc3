"""A handoff as staff see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import Conversation, Customer, DeskThread, Handoff
from core.handoffs import settings


@dataclass(frozen=True)
class Thread:
    """The thread in which a desk shows a handoff."""

    workspace: str
    channel: str
    thread: str


@dataclass(frozen=True)
class HandoffView:
    """A handoff with its conversation and customer."""

    id: str
    tenant_id: str
    conversation_id: str
    state: str
    trigger: str
    reason: str
    urgency: str
    sentiment: str
    summary: str
    sources: tuple[dict[str, str | None], ...]
    contact: str | None
    claimed_by: str | None
    resolved: bool | None
    channel: str
    """The customer's current channel."""
    address: str | None
    customer_id: str | None
    customer_name: str | None
    vip: bool
    call: str | None
    """The on-call person to call, once the handoff has escalated."""
    from_seq: int
    requested_at: datetime
    claimed_at: datetime | None
    first_reply_at: datetime | None
    ended_at: datetime | None


def build_handoff_view(session: Session, handoff: Handoff) -> HandoffView:
    conversation = session.get_one(Conversation, handoff.conversation_id)
    customer = session.get(Customer, conversation.customer_id) if conversation.customer_id else None
    order = settings.get_handoff_settings(session, handoff.tenant_id).on_call if handoff.escalations else []
    called = min(handoff.escalations, len(order))
    same = (
        "id", "tenant_id", "conversation_id", "state", "trigger", "reason", "urgency", "sentiment", "summary",
        "contact", "claimed_by", "resolved", "from_seq", "requested_at", "claimed_at", "first_reply_at", "ended_at",
    )  # fmt: skip
    return HandoffView(
        **{name: getattr(handoff, name) for name in same},
        sources=tuple(handoff.sources),
        channel=conversation.channel,
        address=conversation.address,
        customer_id=conversation.customer_id,
        customer_name=customer.name if customer else None,
        vip=bool(customer and customer.vip),
        call=order[called - 1] if called else None,
    )


def thread_of(session: Session, handoff_id: str, desk: str) -> Thread | None:
    """Return the thread in which a desk shows a handoff, or None."""
    row = session.scalar(select(DeskThread).filter_by(handoff_id=handoff_id, desk=desk))
    return Thread(row.workspace, row.channel, row.thread) if row else None


def handoff_of(session: Session, tenant_id: str, desk: str, thread: Thread) -> Handoff | None:
    """Return the handoff that a desk's thread shows, or None."""
    place = {"workspace": thread.workspace, "channel": thread.channel, "thread": thread.thread}
    row = session.scalar(select(DeskThread).filter_by(tenant_id=tenant_id, desk=desk, **place))
    return session.get(Handoff, row.handoff_id) if row else None
