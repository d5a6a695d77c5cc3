"""Customers and their addresses: who writes, where they can be reached, and merging of duplicate records."""

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
    """Return the customer with this id, created if missing; a merged id returns the customer it was merged into.

    Raises:
        NotFound: the customer belongs to another tenant.
    """
    _insert_if_missing(session, Customer, id=customer_id, tenant_id=tenant_id)
    customer = session.get_one(Customer, customer_id)
    while customer.merged_into:
        customer = session.get_one(Customer, customer.merged_into)
    if customer.tenant_id != tenant_id:
        raise NotFound("There is no such customer.")
    return customer


def address_of(session: Session, tenant_id: str, channel: str, address: str) -> Address:
    """Return the address, created with a new customer if unknown."""
    which = {"tenant_id": tenant_id, "channel": channel, "address": address}
    row = session.scalar(select(Address).filter_by(**which))
    if row is None:
        customer = get_or_create_customer(session, tenant_id, generate_id())
        _insert_if_missing(session, Address, **which, customer_id=customer.id)
        row = session.scalars(select(Address).filter_by(**which)).one()
    return row


def conversation_at(session: Session, tenant_id: str, channel: str, address: str, at: datetime) -> Conversation:
    """Return the conversation for a message from this address: the open one, or a new one.

    The message verifies the address, and restarts a vendor's window for free messages.
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
    """Record a message from this address, which may be older than the last one."""
    newest = case((Address.last_inbound_at > at, Address.last_inbound_at), else_=literal(at, UtcDateTime()))
    # locks the row: two simultaneous first messages must not start two conversations
    session.execute(
        update(Address)
        .where(Address.id == row.id)
        .values(last_inbound_at=newest, verified_at=row.verified_at or at)
        .execution_options(synchronize_session=False)
    )
    session.refresh(row)


def open_conversation(session: Session, tenant_id: str, channel: str, address: str) -> str | None:
    """Return the id of the open conversation that is delivered to this address, or None."""
    here = {"tenant_id": tenant_id, "channel": channel, "address": address, "status": "open"}
    return session.scalar(select(Conversation.id).filter_by(**here).order_by(Conversation.id.desc()).limit(1))


def move_conversation(session: Session, conversation: Conversation, channel: str, address: str | None, by: str) -> None:
    """Deliver a conversation to another address from now on; it keeps its history, and must be locked.

    The address must be verified, or a stranger could read the conversation. None moves it back to the web.

    Raises:
        Conflict: the address is not verified, or its owner has opted out.
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
    """Mark an address as verified by its owner."""
    row = address_of(session, tenant_id, channel, address)
    row.verified_at = row.verified_at or at
    return row


def set_address_opt_out(session: Session, tenant_id: str, channel: str, address: str, at: datetime | None) -> Address:
    """Stop sending to an address, or resume if ``at`` is None."""
    row = address_of(session, tenant_id, channel, address)
    row.opted_out_at = at
    return row


def merge_customers(session: Session, tenant_id: str, customer_id: str, into_id: str, by: str) -> Customer:
    """Merge a customer into another, which needs a verified address; return the latter.

    Raises:
        NotFound: there is no such customer.
        InvalidInput: they are the same customer already.
        Conflict: the remaining customer has no verified address.
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
    """Insert a row unless it exists, also if another process inserts it concurrently."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(table).values(**values).on_conflict_do_nothing())
