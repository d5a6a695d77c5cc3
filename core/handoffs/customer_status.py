"""Handoff status as the customer may see it: the state, and the first name of the agent."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db.models import Handoff, User
from core.handoffs.states import ENDED

BOT = "bot"
"""State without an open handoff."""
_HERE = ("claimed", "with_person")


@dataclass(frozen=True)
class CustomerStatus:
    state: str = BOT
    """A state of ``core.handoffs.states``, "bot" included."""
    person: str | None = None
    """First name of the agent, if known; never an e-mail address."""


def get_handoff_standing(session: Session, conversation_id: str) -> CustomerStatus:
    """Return the status of the newest open handoff."""
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
