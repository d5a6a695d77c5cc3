"""A customer as staff see them: profile, addresses, recent conversations and notes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.conversations import search as conversations
from core.conversations.search import Listed
from core.db.models import Address, Conversation, Customer, Handoff, HandoffNote
from core.errors import InvalidInput, NotFound
from core.handoffs.staff.queries import StaffNote

SHOWN = 20
LONGEST_NAME = 200
LONGEST_LANGUAGE = 8


@dataclass(frozen=True)
class ContactAddress:
    """An address where the customer can be reached."""

    channel: str
    address: str
    verified: bool
    opted_out: bool
    last_inbound_at: datetime | None


@dataclass(frozen=True)
class CustomerProfile:
    """Everything known about a customer."""

    id: str
    name: str | None
    language: str | None
    vip: bool
    created_at: datetime | None
    """None if only the id was ever recorded."""
    addresses: list[ContactAddress]
    conversations: list[Listed]
    """The most recent ones, newest first."""
    total: int
    """Total number of conversations."""
    notes: list[StaffNote]
    """Staff notes on the customer's handoffs, newest first."""


def get_customer_record(session: Session, tenant_id: str, customer_id: str) -> CustomerProfile:
    """Return a customer's profile; a merged id returns the customer it was merged into.

    Raises:
        NotFound: the tenant has no such customer.
    """
    customer = _find_customer(session, tenant_id, customer_id)
    id_ = customer.id if customer else customer_id
    theirs = select(Conversation).filter_by(tenant_id=tenant_id, customer_id=id_)
    total = session.scalar(select(func.count()).select_from(theirs.subquery())) or 0
    if customer is None and not total:
        raise NotFound("There is no such customer.")
    order = (Conversation.updated_at.desc(), Conversation.id.desc())
    last = list(session.scalars(theirs.order_by(*order).limit(SHOWN)))
    return CustomerProfile(
        id=id_,
        name=customer.name if customer else None,
        language=customer.language if customer else None,
        vip=bool(customer and customer.vip),
        created_at=customer.created_at if customer else None,
        addresses=_list_addresses(session, tenant_id, id_),
        conversations=conversations.describe_conversations(session, last),
        total=total,
        notes=_list_customer_notes(session, tenant_id, id_),
    )


def update_customer(session: Session, tenant_id: str, customer_id: str, by: str, **values: str | bool | None) -> None:
    """Set ``name``, ``language`` (such as "en") or ``vip``; omitted values stay, and an empty text becomes None.

    Raises:
        NotFound: the tenant has no such customer.
        InvalidInput: a text is too long.
    """
    customer = _find_customer(session, tenant_id, customer_id)
    if customer is None:
        raise NotFound("There is no such customer.")
    for name, longest in (("name", LONGEST_NAME), ("language", LONGEST_LANGUAGE)):
        if name in values:
            values[name] = _clean_text_field(name, str(values[name] or ""), longest)
    before = {name: getattr(customer, name) for name in values}
    for name, value in values.items():
        setattr(customer, name, value)
    if before != values:
        audit.add_audit_event(session, tenant_id, "customer", customer.id, "changed", by, before=before, after=values)


def _clean_text_field(name: str, text: str, longest: int) -> str | None:
    text = " ".join(text.split())
    if len(text) > longest:
        raise InvalidInput(f"The {name} has at most {longest} characters.")
    return text or None


def _find_customer(session: Session, tenant_id: str, customer_id: str) -> Customer | None:
    customer = session.get(Customer, customer_id)
    while customer and customer.merged_into:
        customer = session.get(Customer, customer.merged_into)
    if customer and customer.tenant_id != tenant_id:
        raise NotFound("There is no such customer.")
    return customer


def _list_addresses(session: Session, tenant_id: str, customer_id: str) -> list[ContactAddress]:
    rows = session.scalars(select(Address).filter_by(tenant_id=tenant_id, customer_id=customer_id).order_by(Address.id))
    return [
        ContactAddress(row.channel, row.address, bool(row.verified_at), bool(row.opted_out_at), row.last_inbound_at)
        for row in rows
    ]


def _list_customer_notes(session: Session, tenant_id: str, customer_id: str) -> list[StaffNote]:
    rows = (
        select(HandoffNote)
        .join(Handoff, Handoff.id == HandoffNote.handoff_id)
        .join(Conversation, Conversation.id == Handoff.conversation_id)
        .where(HandoffNote.tenant_id == tenant_id, Conversation.customer_id == customer_id)
    )
    newest = session.scalars(rows.order_by(HandoffNote.id.desc()).limit(SHOWN))
    return [StaffNote(row.text, row.by, row.at) for row in newest]
