"""Whom a customer is talking to, as they may know it: the state of the handoff, and the first name of the person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db.models import Handoff, User
from core.handoffs.states import ENDED

BOT = "bot"
"""There is no handoff, or it has ended."""
_HERE = ("claimed", "with_person")


@dataclass(frozen=True)
class CustomerStatus:
    state: str = BOT
    """As in ``core.handoffs.states``, or "bot"."""
    person: str | None = None
    """Who has it, where a name is known; an e-mail address is none."""


def get_handoff_standing(session: Session, conversation_id: str) -> CustomerStatus:
    """Of the newest handoff that has not ended."""
    query = select(Handoff).where(Handoff.conversation_id == conversation_id, Handoff.state.not_in(ENDED))
    handoff = session.scalar(query.order_by(Handoff.id.desc()).limit(1))
    if handoff is None:
        return CustomerStatus()
    return CustomerStatus(handoff.state, _first_name(session, handoff) if handoff.state in _HERE else None)


def _first_name(session: Session, handoff: Handoff) -> str | None:
    who = handoff.claimed_by or ""
    if "@" in who:
        of_staff = select(User.name).where(User.tenant_id == handoff.tenant_id, User.email == func.lower(who))
        who = session.scalar(of_staff) or ""
    return who.split()[0] if who.strip() else None
