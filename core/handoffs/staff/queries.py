"""Handoff queries for staff: the queue, and one handoff with its history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, exists, func, or_, select
from sqlalchemy.orm import Session

from core import messages
from core.db.models import Conversation, Customer, Delivery, Handoff, HandoffNote, HandoffTransition, Message
from core.events import MessageStored
from core.handoffs.staff.views import HandoffView, build_handoff_view
from core.handoffs.states import ENDED

LATE = ("nobody_there", "timed_out")
"""States in which the bot has continued, and staff can still claim the handoff."""
_URGENT_FIRST = case({"high": 0, "normal": 1}, value=Handoff.urgency, else_=2)
_UPSET_FIRST = case({"angry": 0, "negative": 1}, value=Handoff.sentiment, else_=2)


@dataclass(frozen=True)
class HandoffFilter:
    """Filter for handoffs; every field that is set must match."""

    state: str | None = None
    """One state, "open" for all that have not ended, or "late" for those that nobody took in time."""
    conversation_id: str | None = None
    customer_id: str | None = None
    claimed_by: str | None = None
    urgency: str | None = None
    channel: str | None = None
    sentiment: str | None = None
    others_than: str | None = None
    """Claimed by an agent other than this one."""
    text: str | None = None
    """Part of a message, of the summary, reason or contact, or of the customer's name or address."""

    def conditions(self, tenant_id: str) -> list[ColumnElement[bool]]:
        """Return the filter as SQL conditions over handoffs joined with conversations."""
        tests: list[ColumnElement[bool]] = [Handoff.tenant_id == tenant_id]
        if self.state == "open":
            tests.append(Handoff.state.not_in(ENDED))
        elif self.state == "late":
            tests.append(Handoff.state.in_(LATE))
        elif self.state:
            tests.append(Handoff.state == self.state)
        for column, value in (
            (Handoff.conversation_id, self.conversation_id),
            (Conversation.customer_id, self.customer_id),
            (Handoff.claimed_by, self.claimed_by),
            (Handoff.urgency, self.urgency),
            (Handoff.sentiment, self.sentiment),
            (Conversation.channel, self.channel),
        ):
            if value:
                tests.append(column == value)
        if self.others_than:
            tests += [Handoff.claimed_by.is_not(None), Handoff.claimed_by != self.others_than]
        if self.text:
            tests.append(_match_search_text(self.text))
        return tests


def _match_search_text(text: str) -> ColumnElement[bool]:
    said = exists().where(Message.conversation_id == Conversation.id, Message.text.icontains(text, autoescape=True))
    named = exists().where(Customer.id == Conversation.customer_id, Customer.name.icontains(text, autoescape=True))
    columns = (Handoff.summary, Handoff.reason, Handoff.contact, Conversation.address)
    return or_(named, *(column.icontains(text, autoescape=True) for column in columns), said)


def list_handoffs(
    session: Session, tenant_id: str, wanted: HandoffFilter, limit: int = 50, offset: int = 0
) -> tuple[int, list[HandoffView]]:
    """Return the number of matches and one page of them: by urgency, then angry before negative, then longest waiting."""
    fits = (
        select(Handoff)
        .join(Conversation, Conversation.id == Handoff.conversation_id)
        .where(*wanted.conditions(tenant_id))
    )
    total = session.scalar(select(func.count()).select_from(fits.subquery())) or 0
    order = (
        (Handoff.id.desc(),)
        if wanted.state in ENDED
        else (_URGENT_FIRST, _UPSET_FIRST, Handoff.requested_at, Handoff.id)
    )
    rows = session.scalars(fits.order_by(*order).limit(limit).offset(offset)).all()
    conversations = select(Conversation).where(Conversation.id.in_({row.conversation_id for row in rows}))
    here = session.scalars(conversations).all()  # keeps the rows in the session, where build_handoff_view finds them
    people = session.scalars(select(Customer).where(Customer.id.in_({each.customer_id for each in here}))).all()
    views = [build_handoff_view(session, row) for row in rows]
    del here, people
    return total, views


@dataclass(frozen=True)
class QueueCounts:
    """Numbers of open handoffs."""

    open: int
    requested: int
    """Not claimed by anybody yet."""
    mine: int
    others: int
    late: int
    """Not taken in time; the bot has continued."""


def count_handoffs(session: Session, tenant_id: str, by: str) -> QueueCounts:
    """Return the counts for one agent."""
    query = select(Handoff.state, Handoff.claimed_by, func.count()).where(Handoff.tenant_id == tenant_id)
    rows = session.execute(query.where(Handoff.state.not_in(ENDED)).group_by(Handoff.state, Handoff.claimed_by)).all()

    def count_matching(fits: Callable[[str, str | None], bool]) -> int:
        return sum(number for state, who, number in rows if fits(state, who))

    return QueueCounts(
        open=count_matching(lambda _state, _who: True),
        requested=count_matching(lambda state, _who: state == "requested"),
        mine=count_matching(lambda _state, who: who == by),
        others=count_matching(lambda _state, who: who is not None and who != by),
        late=count_matching(lambda state, _who: state in LATE),
    )


@dataclass(frozen=True)
class Transition:
    """One transition of a handoff."""

    event: str
    from_state: str
    to_state: str
    cause: str
    by: str
    at: datetime


@dataclass(frozen=True)
class StaffNote:
    """An internal note by staff."""

    text: str
    by: str
    at: datetime


@dataclass(frozen=True)
class History:
    """A handoff with its messages, transitions and notes."""

    handoff: HandoffView
    messages: tuple[MessageStored, ...]
    """All messages of the conversation."""
    transitions: tuple[Transition, ...]
    notes: tuple[StaffNote, ...]
    delivered: dict[str, str]
    """Delivery state by message id. Browsers fetch web messages themselves, so these are only sent or read; the bot's
    replies on the web have no state."""
    lost: dict[str, str]
    """Delivery error by message id, for messages that did not arrive."""


def get_handoff_history(session: Session, handoff: Handoff) -> History:
    transitions = select(HandoffTransition).filter_by(handoff_id=handoff.id).order_by(HandoffTransition.seq)
    notes = select(HandoffNote).filter_by(handoff_id=handoff.id).order_by(HandoffNote.id)
    out = select(Delivery.message_id, Delivery.state, Delivery.error).where(
        Delivery.conversation_id == handoff.conversation_id, Delivery.kind == "message", Delivery.handoff_id.is_(None)
    )
    ways = [(message_id, state, error) for message_id, state, error in session.execute(out) if message_id]
    return History(
        build_handoff_view(session, handoff),
        tuple(messages.messages_after(session, handoff.conversation_id, 0)),
        tuple(Transition(t.event, t.from_state, t.to_state, t.cause, t.by, t.at) for t in session.scalars(transitions)),
        tuple(StaffNote(note.text, note.by, note.at) for note in session.scalars(notes)),
        {message_id: state for message_id, state, _ in ways},
        {message_id: error or "" for message_id, state, error in ways if state in {"failed", "dead"}},
    )
