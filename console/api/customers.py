"""``/v1/bot/customers``: read and change customers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from console.api.conversations import ConversationItem
from console.api.errors import Answerer, Viewer
from console.api.handoffs import NoteItem
from console.auth.gate import Gate
from core.conversations import customer_profile


class ReachedItem(BaseModel):
    """An address at which a customer is reached."""

    model_config = ConfigDict(from_attributes=True)

    channel: str
    address: str
    verified: bool
    opted_out: bool
    last_inbound_at: datetime | None


class CustomerItem(BaseModel):
    """A customer with addresses, conversations and notes."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str | None
    language: str | None
    vip: bool
    created_at: datetime | None
    addresses: list[ReachedItem]
    conversations: list[ConversationItem]
    """The last twenty, newest first."""
    total: int
    """Total number of conversations."""
    notes: list[NoteItem]
    """Notes on the customer's handoffs, newest first."""


class CustomerBody(BaseModel):
    """Values to set; omitted ones stay unchanged."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=customer_profile.LONGEST_NAME)] | None = None
    language: Annotated[str, Field(max_length=customer_profile.LONGEST_LANGUAGE)] | None = None
    vip: bool = False


def add_routes(routes: APIRouter, gate: Gate) -> None:
    """Add the routes of a customer."""

    def load_customer(session: Session, customer_id: str) -> CustomerItem:
        return CustomerItem.model_validate(customer_profile.get_customer_record(session, gate.tenant, customer_id))

    @routes.get("/customers/{customer_id}")
    async def get_customer(customer_id: str, _: Viewer) -> CustomerItem:
        """With addresses, conversations and notes; a merged customer resolves to the one it was merged into."""
        return await gate.database.run(lambda session: load_customer(session, customer_id))

    @routes.patch("/customers/{customer_id}")
    async def update_customer(customer_id: str, body: CustomerBody, person: Answerer) -> CustomerItem:
        """Set name, language or VIP."""

        def store_update(session: Session) -> CustomerItem:
            values = body.model_dump(exclude_unset=True)
            customer_profile.update_customer(session, gate.tenant, customer_id, person.email, **values)
            session.flush()
            return load_customer(session, customer_id)

        return await gate.database.run(store_update)
