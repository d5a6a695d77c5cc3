"""Customers and their addresses: who writes, where they are reached, and one record for one person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import case, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core import audit
from core.db.models import Address, Conversation, Customer, SurveyResponse, generate_id
from core.db.models.base import UtcDateTime
from core.errors import Conflict, InvalidInput, NotFound


def get_or_create_customer(session: Session, tenant_id: str, customer_id: str) -> Customer:
    """The customer of this id, recorded where nobody was yet; who was merged is who they are now.

    Raises:
        NotFound: it is another tenant's.
    """
    _insert_if_missing(session, Customer, id=customer_id, tenant_id=tenant_id)
    customer = session.get_one(Customer, customer_id)
    while customer.merged_into:
        customer = session.get_one(Customer, customer.merged_into)
    if customer.tenant_id != tenant_id:
        raise NotFound("There is no such customer.")
    return customer


def address_of(session: Session, tenant_id: str, channel: str, address: str) -> Address:
    """The address, recorded with a new customer where it was not known."""
    which = {"tenant_id": tenant_id, "channel": channel, "address": address}
    row = session.scalar(select(Address).filter_by(**which))
    if row is None:
        customer = get_or_create_customer(session, tenant_id, generate_id())
        _insert_if_missing(session, Address, **which, customer_id=customer.id)
        row = session.scalars(select(Address).filter_by(**which)).one()
    return row


def conversation_at(session: Session, tenant_id: str, channel: str, address: str, at: datetime) -> Conversation:
    """Where a message from this address belongs: its conversation that is open, else a new one.

    It was written from there, so the address is verified, and a vendor's window for free messages begins anew.
    """
    row = address_of(session, tenant_id, channel, address)
    heard_from(session, row, at)
    found = open_conversation(session, tenant_id, channel, address)
    if found is not None:
        return session.get_one(Conversation, found)
    customer = get_or_create_customer(session, tenant_id, row.customer_id)
    conversation = Conversation(tenant_id=tenant_id, channel=channel, address=address, customer_id=customer.id)
    session.add(conversation)
    session.flush()
    return conversation


def heard_from(session: Session, row: Address, at: datetime) -> None:
    """Something was written from this address, maybe before what came last."""
    newest = case((Address.last_inbound_at > at, Address.last_inbound_at), else_=literal(at, UtcDateTime()))
    # the lock: two first messages at the same moment must not begin two conversations
    session.execute(
        update(Address)
        .where(Address.id == row.id)
        .values(last_inbound_at=newest, verified_at=row.verified_at or at)
        .execution_options(synchronize_session=False)
    )
    session.refresh(row)


def open_conversation(session: Session, tenant_id: str, channel: str, address: str) -> str | None:
    """The id of the conversation that is delivered to this address and has not ended."""
    here = {"tenant_id": tenant_id, "channel": channel, "address": address, "status": "open"}
    return session.scalar(select(Conversation.id).filter_by(**here).order_by(Conversation.id.desc()).limit(1))


def move_conversation(session: Session, conversation: Conversation, channel: str, address: str | None, by: str) -> None:
    """Deliver a conversation elsewhere from now on; it keeps its history. It must be locked.

    The address has to be verified: what was said would otherwise be told to a stranger. None: back to the web.

    Raises:
        Conflict: the address is not verified, or its owner does not want to be written to.
    """
    tenant_id, before = conversation.tenant_id, conversation.channel
    if address is not None:
        row = address_of(session, tenant_id, channel, address)
        if row.verified_at is None:
            raise Conflict("This address is not confirmed yet.")
        if row.opted_out_at is not None:
            raise Conflict("The owner of this address does not want to be written to.")
        if conversation.customer_id and conversation.customer_id != row.customer_id:
            merge_customers(session, tenant_id, conversation.customer_id, row.customer_id, by)
        conversation.customer_id = row.customer_id
    conversation.channel, conversation.address = channel, address
    audit.add_audit_event(
        session, tenant_id, "conversation", conversation.id, "moved", by, before=before, after=channel
    )


def verify_address(session: Session, tenant_id: str, channel: str, address: str, at: datetime) -> Address:
    """The owner proved that an address is theirs."""
    row = address_of(session, tenant_id, channel, address)
    row.verified_at = row.verified_at or at
    return row


def set_address_opt_out(session: Session, tenant_id: str, channel: str, address: str, at: datetime | None) -> Address:
    """Nothing more is sent there, until it is called again with None."""
    row = address_of(session, tenant_id, channel, address)
    row.opted_out_at = at
    return row


def merge_customers(session: Session, tenant_id: str, customer_id: str, into_id: str, by: str) -> Customer:
    """Two records are one person's: everything of the first goes to the second, which needs a verified address.

    Raises:
        NotFound: there is no such customer.
        InvalidInput: they are the same already.
        Conflict: who they are was not verified.
    """
    gone, stays = _get_customer(session, tenant_id, customer_id), _get_customer(session, tenant_id, into_id)
    if gone.id == stays.id:
        raise InvalidInput("These are the same customer already.")
    proof = select(Address.id).where(Address.customer_id == stays.id, Address.verified_at.is_not(None))
    if session.scalar(proof.limit(1)) is None:
        raise Conflict("Customers are merged only on a verified address.")
    for table in (Conversation, Address, SurveyResponse):
        session.execute(update(table).where(table.customer_id == gone.id).values(customer_id=stays.id))
    gone.merged_into = stays.id
    stays.name, stays.language = stays.name or gone.name, stays.language or gone.language
    stays.vip = stays.vip or gone.vip
    audit.add_audit_event(session, tenant_id, "customer", gone.id, "merged", by, into=stays.id)
    return stays


def _get_customer(session: Session, tenant_id: str, customer_id: str) -> Customer:
    customer = session.get(Customer, customer_id)
    if customer is None or customer.tenant_id != tenant_id:
        raise NotFound("There is no such customer.")
    while customer.merged_into:
        customer = session.get_one(Customer, customer.merged_into)
    return customer


def _insert_if_missing(session: Session, table: type[Customer | Address], **values: str) -> None:
    """Unless somebody else was faster."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(table).values(**values).on_conflict_do_nothing())
