"""State changes of handoffs: the only code that changes who owns a conversation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import outbox
from core.db.models import Conversation, Handoff, HandoffTransition, get_current_time
from core.db.models.statuses import Feeling, HandoffState, Urgency
from core.errors import NotFound
from core.handoffs import settings
from core.handoffs.states import ENDED, Event, State, bot_may_speak, get_next_state

Trigger = Literal[
    "asked", "unknown", "not_helpful", "sentiment", "risky_topic", "low_confidence", "promised", "vip", "taken_over"
]
ALERTING: frozenset[Event] = frozenset({"request", "remind", "escalate"})


@dataclass(frozen=True)
class HandoffReason:
    """Why the bot steps back, as shown to staff."""

    trigger: Trigger
    reason: str
    urgency: Urgency = "normal"
    sentiment: Feeling = "neutral"
    summary: str = ""
    sources: tuple[dict[str, str | None], ...] = ()


@dataclass(frozen=True)
class HandoffEvent:
    """One event with its originator and cause."""

    event: Event
    by: str
    """The agent, or "customer", "bot" or "clock"."""
    cause: str = ""
    event_id: str | None = None
    """The desk's own id of the event; the same event with the same id changes nothing."""
    why: HandoffReason | None = None
    """The reason for the handoff that the event starts."""
    resolved: bool | None = None
    contact: str | None = None
    summary: str | None = None
    at: datetime | None = None

    @property
    def key(self) -> str | None:
        """Idempotency key, with the event since a form's id may come with several; a takeover counts as a claim."""
        kind = "claim" if self.event == "take_over" else self.event
        return self.event_id and f"{kind}:{self.event_id}"


@dataclass(frozen=True)
class Applied:
    """The handoff after an event."""

    handoff: Handoff
    new: bool
    """False if the event was applied before."""
    state_before: State


def apply_transition(session: Session, conversation: Conversation, happening: HandoffEvent) -> Applied:
    """Apply an event in the caller's transaction: set the new state, record the transition and queue the desks' notices.

    The conversation must be locked (``Conversation.lock``).

    Raises:
        Conflict: the event is not possible in this state.
    """
    if known := known_event(session, conversation.tenant_id, happening.key):
        return Applied(
            session.get_one(Handoff, known.handoff_id), new=False, state_before=cast("State", known.from_state)
        )
    handoff = find_open_handoff(session, conversation)
    before: State = handoff.state if handoff else "bot"
    to = get_next_state(before, happening.event)
    at = happening.at or get_current_time()
    if handoff is None:
        handoff = _start_handoff(session, conversation, happening, at)
    _update_handoff(conversation, handoff, happening, to, at)
    _record_transition(session, conversation, handoff, happening, before, at)
    return Applied(handoff, new=True, state_before=before)


def known_event(session: Session, tenant_id: str, key: str | None) -> HandoffTransition | None:
    """Return the transition that an event with this key caused before, or None."""
    if key is None:
        return None
    return session.scalar(select(HandoffTransition).filter_by(tenant_id=tenant_id, event_id=key))


def find_open_handoff(session: Session, conversation: Conversation) -> Handoff | None:
    """Return the open handoff of a conversation, or None."""
    return session.get(Handoff, conversation.handoff_id) if conversation.handoff_id else None


def person_has_word(session: Session, conversation: Conversation) -> Handoff | None:
    """Return the handoff while an agent owns the conversation, or None. No reply of the bot may be stored meanwhile."""
    handoff = find_open_handoff(session, conversation)
    return None if handoff is None or bot_may_speak(handoff.state) else handoff


def may_speak(session: Session, conversation_id: str) -> bool:
    """Whether the bot may speak in this conversation now.

    Raises:
        NotFound: there is no such conversation.
    """
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    return person_has_word(session, conversation) is None


def _start_handoff(session: Session, conversation: Conversation, happening: HandoffEvent, at: datetime) -> Handoff:
    why = happening.why or HandoffReason("taken_over", happening.cause)
    handoff = Handoff(
        tenant_id=conversation.tenant_id,
        conversation_id=conversation.id,
        trigger=why.trigger,
        reason=why.reason,
        urgency=why.urgency,
        sentiment=why.sentiment,
        summary=why.summary,
        sources=list(why.sources),
        from_seq=conversation.last_seq,
        recorded_seq=conversation.last_seq,
        requested_at=at,
    )
    session.add(handoff)
    session.flush()
    conversation.handoff_id = handoff.id
    return handoff


def _update_handoff(
    conversation: Conversation, handoff: Handoff, happening: HandoffEvent, to: State, at: datetime
) -> None:
    """Set the handoff's fields from the event; nothing else sets them."""
    match happening.event:
        case "request":
            _ask_again(conversation, handoff, happening, at)
        case "claim" | "take_over":
            handoff.claimed_by, handoff.claimed_at = happening.by, at
        case "reply":
            handoff.claimed_by, handoff.claimed_at = handoff.claimed_by or happening.by, handoff.claimed_at or at
            handoff.first_reply_at = handoff.first_reply_at or at
        case "remind":
            handoff.reminded_at = at
        case "escalate":
            handoff.escalations += 1
        case "leave_contact":
            handoff.contact = happening.contact
        case "summarise":
            handoff.summary = happening.summary or handoff.summary
        case "close":
            handoff.resolved = happening.resolved
            conversation.status, conversation.closed_at = "closed", at
        case _:
            pass
    handoff.state = cast("HandoffState", to)  # no event leads back to "bot"
    if to in ENDED:
        handoff.ended_at, conversation.handoff_id = at, None


def _ask_again(conversation: Conversation, handoff: Handoff, happening: HandoffEvent, at: datetime) -> None:
    """Restart the wait, also for a customer who was told before that nobody is available."""
    handoff.requested_at, handoff.from_seq = at, conversation.last_seq
    handoff.reminded_at = handoff.claimed_at = handoff.claimed_by = handoff.first_reply_at = None
    handoff.escalations = 0
    if why := happening.why:
        handoff.trigger, handoff.reason, handoff.urgency = why.trigger, why.reason, why.urgency
        handoff.sentiment, handoff.summary, handoff.sources = why.sentiment, why.summary, list(why.sources)


def _record_transition(  # noqa: PLR0917 - everything that a transition is made of
    session: Session, conversation: Conversation, handoff: Handoff, happening: HandoffEvent, before: State, at: datetime
) -> None:
    handoff.last_transition += 1
    row = HandoffTransition(
        tenant_id=conversation.tenant_id,
        handoff_id=handoff.id,
        seq=handoff.last_transition,
        event=happening.event,
        from_state=before,
        to_state=handoff.state,
        cause=happening.cause or (happening.why.reason if happening.why else ""),
        by=happening.by,
        event_id=happening.key,
        at=at,
    )
    session.add(row)
    session.flush()
    if happening.event == "reply" and before == handoff.state:
        return  # the desks get the message itself
    chosen = settings.get_handoff_settings(session, conversation.tenant_id)
    notice = outbox.Notice("alert" if happening.event in ALERTING else "update", row.id, happening.event)
    outbox.to_staff(session, conversation, handoff, notice, chosen.destinations())
    if happening.event == "escalate" and handoff.urgency == "high" and chosen.manager_phone:
        outbox.to_phone(session, conversation, handoff, notice, chosen.manager_phone)
