"""Typing signals and read receipts from a customer's browser, for staff."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import Conversation, Delivery, Message, get_current_time
from core.delivery import attempts
from core.events import CustomerTyping, Hub, inbox_of
from core.handoffs.transitions import person_has_word

WEB = "web"
_UNREAD = ("sent", "delivered")


@dataclass(frozen=True)
class CustomerReceipts:
    database: Database
    hub: Hub

    async def typing(self, conversation_id: str) -> None:
        """Tell staff that the customer is typing, if an agent owns the conversation."""

        def find_tenant_id(session: Session) -> str | None:
            conversation = session.get(Conversation, conversation_id)
            told = conversation and person_has_word(session, conversation)
            return conversation.tenant_id if conversation and told else None

        if tenant_id := await self.database.run(find_tenant_id):
            self.hub.publish(inbox_of(tenant_id), CustomerTyping(conversation_id))

    async def seen(self, conversation_id: str, up_to: int) -> None:
        """Mark the agents' messages up to this number as read by the customer."""

        def mark_deliveries_read(session: Session) -> None:
            unread = (
                select(Delivery.id)
                .join(Message, Message.id == Delivery.message_id)
                .where(Delivery.conversation_id == conversation_id, Delivery.destination == WEB)
                .where(Delivery.state.in_(_UNREAD), Message.speaker == "agent", Message.seq <= up_to)
            )
            for delivery_id in session.scalars(unread).all():
                attempts.record_delivery_status(session, WEB, "read", get_current_time(), delivery_id=delivery_id)

        await self.database.run(mark_deliveries_read)
