"""Handoffs for staff to read: the list, and one with all that happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from core import messages
from core.db.models import Conversation, Delivery, Handoff, HandoffNote, HandoffTransition
from core.events import MessageStored
from core.handoffs.machine import ENDED
from core.handoffs.views import HandoffView, view

_URGENT_FIRST = case({"high": 0, "normal": 1}, value=Handoff.urgency, else_=2)


@dataclass(frozen=True)
class Filter:
    """Which handoffs; every field that is set must fit."""

    state: str | None = None
    """One state, or "open" for all that have not ended."""
    conversation_id: str | None = None
    customer_id: str | None = None
    claimed_by: str | None = None
    urgency: str | None = None

    def conditions(self, tenant_id: str) -> list[ColumnElement[bool]]:
        """As SQL, over handoffs joined with conversations."""
        tests: list[ColumnElement[bool]] = [Handoff.tenant_id == tenant_id]
        if self.state == "open":
            tests.append(Handoff.state.not_in(ENDED))
        elif self.state:
            tests.append(Handoff.state == self.state)
        for column, value in (
            (Handoff.conversation_id, self.conversation_id),
            (Conversation.customer_id, self.customer_id),
            (Handoff.claimed_by, self.claimed_by),
            (Handoff.urgency, self.urgency),
        ):
            if value:
                tests.append(column == value)
        return tests


def listed(
    session: Session, tenant_id: str, wanted: Filter, limit: int = 50, offset: int = 0
) -> tuple[int, list[HandoffView]]:
    """How many fit, and a page of them: the urgent first, then who waits longest."""
    fits = (
        select(Handoff)
        .join(Conversation, Conversation.id == Handoff.conversation_id)
        .where(*wanted.conditions(tenant_id))
    )
    total = session.scalar(select(func.count()).select_from(fits.subquery())) or 0
    order = (_URGENT_FIRST, Handoff.requested_at) if wanted.state == "open" else (Handoff.id.desc(),)
    rows = session.scalars(fits.order_by(*order).limit(limit).offset(offset)).all()
    return total, [view(session, row) for row in rows]


@dataclass(frozen=True)
class Transition:
    """One thing that happened."""

    event: str
    from_state: str
    to_state: str
    cause: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Note:
    """A remark of staff among themselves."""

    text: str
    by: str
    at: datetime


@dataclass(frozen=True)
class History:
    """A handoff with all that was said and done."""

    handoff: HandoffView
    messages: tuple[MessageStored, ...]
    """The whole conversation."""
    transitions: tuple[Transition, ...]
    notes: tuple[Note, ...]
    delivered: dict[str, str]
    """By message id: what became of it on its way to the customer; messages on the web are fetched, and not in it."""


def history(session: Session, handoff: Handoff) -> History:
    """All about one."""
    transitions = select(HandoffTransition).filter_by(handoff_id=handoff.id).order_by(HandoffTransition.seq)
    notes = select(HandoffNote).filter_by(handoff_id=handoff.id).order_by(HandoffNote.id)
    out = select(Delivery.message_id, Delivery.state).where(
        Delivery.conversation_id == handoff.conversation_id,
        Delivery.kind == "message",
        Delivery.handoff_id.is_(None),
        Delivery.destination != "web",
    )
    return History(
        view(session, handoff),
        tuple(messages.messages_after(session, handoff.conversation_id, 0)),
        tuple(Transition(t.event, t.from_state, t.to_state, t.cause, t.by, t.at) for t in session.scalars(transitions)),
        tuple(Note(note.text, note.by, note.at) for note in session.scalars(notes)),
        {message_id: state for message_id, state in session.execute(out) if message_id},
    )
