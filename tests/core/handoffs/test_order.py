"""The order in which staff see what is open."""

from __future__ import annotations

from datetime import timedelta

from core.db import Database
from core.db.models import Conversation, Handoff, get_current_time
from core.handoffs.staff.queries import HandoffFilter, list_handoffs


def test_the_urgent_come_first_then_the_angry_then_who_waits_longest(sqlite: Database) -> None:
    wanted = [
        ("high", "angry"),
        ("high", "neutral"),
        ("normal", "angry"),
        ("normal", "negative"),
        ("normal", "positive"),
    ]
    with sqlite.session() as session:
        for minutes, (urgency, sentiment) in enumerate(wanted):  # the last one waits longest
            conversation = Conversation(tenant_id="shop", channel="web")
            session.add(conversation)
            session.flush()
            at = get_current_time() - timedelta(minutes=minutes)
            fields = {"trigger": "asked", "state": "requested", "from_seq": 1, "recorded_seq": 1, "requested_at": at}
            same = {"tenant_id": "shop", "conversation_id": conversation.id, "urgency": urgency, "sentiment": sentiment}
            session.add(Handoff(**fields, **same))
            session.flush()
        _, found = list_handoffs(session, "shop", HandoffFilter(state="open"))
        assert [(each.urgency, each.sentiment) for each in found] == wanted
