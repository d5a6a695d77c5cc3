"""Data that the inbox shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import parse_qsl

from fastapi import Request
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from console.auth.sessions import Person
from console.pages.staff.forms import count_pages, page_number, query_of
from console.pages.staff.timeline import load_timeline
from core.conversations import customer_profile, search
from core.conversations.customer_profile import CustomerProfile
from core.db.models import Conversation, Message
from core.db.models.statuses import Urgency
from core.errors import NotFound
from core.handoffs.service import get_handoff
from core.handoffs.staff import canned_replies, queries
from core.handoffs.staff.queries import HandoffFilter
from core.handoffs.staff.views import HandoffView, build_handoff_view
from core.handoffs.states import ENDED

AT_ONCE = 50
MESSAGES = 200
"""Messages of a conversation shown in the inbox; the others are on its page."""
LONGEST_SEARCH = 200
SHOWN = ("", "requested", "mine", "others", "late", "closed", "returned", "customer_left")
FEELINGS = ("angry", "negative", "neutral", "positive")
HISTORY = ("closed", "returned", "customer_left")


@dataclass(frozen=True)
class InboxView:
    """The part of the inbox to show: filters and page."""

    show: str = ""
    channel: str = ""
    urgency: str = ""
    sentiment: str = ""
    text: str = ""
    page: int = 1

    @classmethod
    def of(cls, request: Request) -> InboxView:
        """Read the view from the query string."""
        return cls._build_view(dict(request.query_params), page_number(request))

    @classmethod
    def encoded(cls, query: str) -> InboxView:
        """Read the view from a form's encoded query string."""
        return cls._build_view(dict(parse_qsl(query[:1000])), 1)

    @classmethod
    def _build_view(cls, given: dict[str, str], page: int) -> InboxView:
        def choose_known_value(name: str, values: tuple[str, ...]) -> str:
            return value if (value := given.get(name, "")) in values else ""

        return cls(
            choose_known_value("show", SHOWN),
            given.get("channel", "")[:32],
            choose_known_value("urgency", get_args(Urgency)),
            choose_known_value("sentiment", FEELINGS),
            given.get("text", "").strip()[:LONGEST_SEARCH],
            page,
        )

    def filter(self, me: str) -> HandoffFilter:
        """Convert to a handoff filter for a member of staff."""
        return HandoffFilter(
            self.show if self.show in {"requested", "late", *HISTORY} else "open",
            claimed_by=me if self.show == "mine" else None,
            others_than=me if self.show == "others" else None,
            channel=self.channel or None,
            urgency=self.urgency or None,
            sentiment=self.sentiment or None,
            text=self.text or None,
        )

    def query(self, **changes: Any) -> str:
        """Encode as a query string without empty values."""
        return query_of(self, **changes)


def load_inbox(
    session: Session, tenant_id: str, seen: InboxView, person: Person, handoff_id: str | None
) -> dict[str, Any]:
    """Load the list and the selected handoff."""
    total, items = queries.list_handoffs(
        session, tenant_id, seen.filter(person.email), AT_ONCE, (seen.page - 1) * AT_ONCE
    )  # fmt: skip
    _, waiting = queries.list_handoffs(session, tenant_id, HandoffFilter("requested"), AT_ONCE)
    return {
        "total": total,
        "items": items,
        "pages": count_pages(total, AT_ONCE),
        "last": _last_said(session, items),
        "counts": queries.count_handoffs(session, tenant_id, person.email),
        "requested": waiting,
        "channels": search.list_channels(session, tenant_id),
        "feelings": FEELINGS,
        "urgencies": get_args(Urgency),
        "history": HISTORY,
        **(_load_handoff(session, tenant_id, handoff_id, person) if handoff_id else {"one": None}),
    }


def _load_handoff(session: Session, tenant_id: str, handoff_id: str, person: Person) -> dict[str, Any]:
    one = build_handoff_view(session, get_handoff(session, tenant_id, handoff_id))
    conversation = session.get_one(Conversation, one.conversation_id)
    holder = one.claimed_by if one.claimed_by and one.claimed_by != person.email else None
    ready = canned_replies.list_canned_replies(session, tenant_id)
    return {
        "one": one,
        "conversation": conversation,
        "over": one.state in ENDED,
        "holder": None if one.state in ENDED else holder,
        "time": load_timeline(session, conversation, MESSAGES, newest=True),
        "customer": customer_of(session, tenant_id, one),
        "ready": [
            (each.name, canned_replies.fill_placeholders(each.text, one.customer_name, person.name)) for each in ready
        ],
    }


def customer_of(session: Session, tenant_id: str, one: HandoffView) -> CustomerProfile | None:
    """Return the handoff's customer, or None if unknown."""
    try:
        return customer_profile.get_customer_record(session, tenant_id, one.customer_id) if one.customer_id else None
    except NotFound:
        return None


def _last_said(session: Session, items: list[HandoffView]) -> dict[str, Message]:
    ids = [item.conversation_id for item in items]
    last = and_(Message.conversation_id == Conversation.id, Message.seq == Conversation.last_seq)
    rows = session.scalars(select(Message).join(Conversation, last).where(Conversation.id.in_(ids)))
    return {row.conversation_id: row for row in rows}
