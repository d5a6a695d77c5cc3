"""How the bot steps back: it announces the handoff and requests an agent, in one transaction."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core.db.models import Conversation, get_current_time
from core.handoffs import settings
from core.handoffs.transitions import HandoffEvent, HandoffReason, apply_transition, person_has_word

BOT = "bot"


def is_staff_available(session: Session, tenant_id: str) -> bool:
    """Whether it is within office hours now."""
    return settings.get_handoff_settings(session, tenant_id).attended(get_current_time())


def request_handoff(
    session: Session, conversation: Conversation, why: HandoffReason, *, there: bool, by: str = BOT
) -> bool:
    """Request an agent; return False if one already owns the conversation, which must be locked.

    The bot's announcement must be stored first, since the bot may not speak afterwards. With nobody ``there``, the desks
    are still notified, and the bot continues.
    """
    if person_has_word(session, conversation):
        return False
    apply_transition(session, conversation, HandoffEvent("request", by, why.reason, why=why))
    if not there:
        apply_transition(session, conversation, HandoffEvent("unattended", by, "outside office hours"))
    return True
