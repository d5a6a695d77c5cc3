"""Conversations as a test tells them, minute by minute."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from ulid import ULID

from core.db.models import Conversation, InteractionFeedback, Message, Turn

BEGIN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass
class Talk:
    """One customer's conversation; time moves only when the test says so."""

    session: Session
    conversation: Conversation
    at: datetime = BEGIN
    turns: list[Turn] = field(default_factory=list)

    def wait(self, **time: float) -> Talk:
        self.at += timedelta(**time)
        return self

    def asks(self, text: str, answer: str = "It is so.", **fields: Any) -> Turn:
        """A question and its answer a second later."""
        asked = self._says("customer", text, payload=fields.pop("payload", None))
        turn = Turn(
            id=str(ULID.from_datetime(self.at)),
            tenant_id=self.conversation.tenant_id,
            conversation_id=self.conversation.id,
            message_id=asked.id,
            channel=self.conversation.channel,
            **{"status": "answered", "outcome": "answered", "rateable": True, "intent": "ask_knowledge", **fields},
        )
        self.session.add(turn)
        self.session.flush()
        if turn.status == "answered":
            self.wait(seconds=1)
            turn.answered_at = self.at
            self._says("bot", answer, turn_id=turn.id)
        self.turns.append(turn)
        return turn

    def answer_of(self, turn: Turn) -> Message:
        return self.session.scalars(select(Message).filter_by(turn_id=turn.id)).one()

    def feedback(self, turn: Turn) -> InteractionFeedback | None:
        return self.session.scalar(select(InteractionFeedback).filter_by(turn_id=turn.id))

    def _says(self, speaker: str, text: str, **more: Any) -> Message:
        message = Message(
            tenant_id=self.conversation.tenant_id,
            conversation_id=self.conversation.id,
            seq=self.conversation.next_seq(),
            speaker=speaker,
            text=text,
            created_at=self.at,
            **more,
        )
        self.conversation.updated_at = self.at
        self.session.add(message)
        self.session.flush()
        return message


def talk(session: Session, tenant: str = "shop", channel: str = "web", customer: str | None = "c1") -> Talk:
    conversation = Conversation(
        tenant_id=tenant, channel=channel, customer_id=customer, created_at=BEGIN, updated_at=BEGIN
    )
    session.add(conversation)
    session.flush()
    return Talk(session, conversation)
