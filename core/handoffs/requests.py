"""How the bot steps back: it says so, and a person is requested, in one transaction."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core.db.models import Conversation, get_current_time
from core.handoffs import settings
from core.handoffs.transitions import HandoffEvent, HandoffReason, apply_transition, person_has_word

BOT = "bot"


def is_staff_available(session: Session, tenant_id: str) -> bool:
    """Whether somebody is there now."""
    return settings.get_handoff_settings(session, tenant_id).attended(get_current_time())


def request_handoff(
    session: Session, conversation: Conversation, why: HandoffReason, *, there: bool, by: str = BOT
) -> bool:
    """Ask for a person; False where one has the word already. The conversation must be locked.

    What the bot says about it is stored before, since it has no word afterwards. With nobody ``there`` the desks are
    told all the same, and the bot goes on.
    """
    if person_has_word(session, conversation):
        return False
    apply_transition(session, conversation, HandoffEvent("request", by, why.reason, why=why))
    if not there:
        apply_transition(session, conversation, HandoffEvent("unattended", by, "outside office hours"))
    return True
