"""Escalation of handoffs that nobody answers: a reminder, calls in on-call order, and a timeout after which the bot continues."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.bot.texts import Texts
from core.db.models import Conversation, Handoff
from core.handoffs import messages, settings
from core.handoffs.states import Event, State
from core.handoffs.transitions import HandoffEvent, apply_transition

WAITING: tuple[State, ...] = ("requested", "claimed")
CLOCK = "clock"


def apply_due_events(session: Session, at: datetime, texts: Texts) -> int:
    """Apply the events that are due, at most one per handoff; return how many."""
    waiting = select(Handoff.conversation_id, Handoff.id).where(Handoff.state.in_(WAITING)).order_by(Handoff.id)
    return sum(
        _advance_handoff(session, conversation_id, handoff_id, at, texts)
        for conversation_id, handoff_id in session.execute(waiting).all()
    )


def find_due_event(handoff: Handoff, chosen: settings.Handoffs, at: datetime) -> Event | None:
    """Return the event that is due for a handoff, or None."""
    waited = at - (handoff.claimed_at or handoff.requested_at)
    if handoff.state not in WAITING:
        return None
    if waited >= timedelta(minutes=chosen.time_out_minutes):
        return "time_out"
    if waited >= timedelta(minutes=chosen.escalate_minutes) * (handoff.escalations + 1):
        if handoff.escalations < max(1, len(chosen.on_call)):
            return "escalate"
    elif waited >= timedelta(minutes=chosen.remind_minutes) and _not_since(handoff):
        return "remind"
    return None


def _not_since(handoff: Handoff) -> bool:
    since = handoff.claimed_at or handoff.requested_at
    return handoff.escalations == 0 and (handoff.reminded_at is None or handoff.reminded_at < since)


def _advance_handoff(session: Session, conversation_id: str, handoff_id: str, at: datetime, texts: Texts) -> bool:
    conversation = Conversation.lock(session, conversation_id)
    handoff = session.get_one(Handoff, handoff_id, populate_existing=True)
    event = (
        find_due_event(handoff, settings.get_handoff_settings(session, handoff.tenant_id), at) if conversation else None
    )
    if conversation is None or event is None:
        return False
    waited = round((at - handoff.requested_at).total_seconds() / 60)
    apply_transition(session, conversation, HandoffEvent(event, CLOCK, f"waiting for {waited} minutes", at=at))
    if event == "time_out":
        text = texts.of(session, conversation.id).handoff_timed_out
        messages.store_announcement(session, conversation, text, "contact_request")
    return True
