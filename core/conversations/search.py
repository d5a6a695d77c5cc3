"""Conversation search for staff: filters and pages, most recent activity first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.db.models import (
    Address,
    Conversation,
    Customer,
    Handoff,
    InteractionFeedback,
    Message,
    SurveyResponse,
    Turn,
)
from core.errors import InvalidInput, NotFound

COUNTED = 1000
"""Highest exact count; beyond it, a count only says that there are more."""
OUTCOMES = ("answered", "suggested", "clarified", "unknown", "handoff", "action", "failed")
HANDOFFS = ("any", "none", "open", "resolved", "not_resolved")
RATINGS = ("helpful", "not_helpful", "satisfied", "dissatisfied")
SATISFIED = 4
"""Lowest CSAT score that counts as satisfied."""


@dataclass(frozen=True)
class ConversationFilter:
    """Filter for conversations; every field that is set must match."""

    text: str | None = None
    """Part of a message or of the customer's name or address, or the id of the conversation or customer."""
    channel: str | None = None
    outcome: str | None = None
    """Outcome of one of the turns: one of OUTCOMES."""
    handoff: str | None = None
    """Handoff status: one of HANDOFFS."""
    rating: str | None = None
    """One of RATINGS: a thumb on one of the answers, or the CSAT score."""
    customer_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive; both bounds apply to the last activity."""

    def conditions(self, tenant_id: str) -> list[ColumnElement[bool]]:
        """Return the filter as SQL conditions over conversations.

        Raises:
            InvalidInput: the outcome, handoff or rating is unknown.
        """
        tests: list[ColumnElement[bool]] = [Conversation.tenant_id == tenant_id]
        same = ((Conversation.channel, self.channel), (Conversation.customer_id, self.customer_id))
        tests += [column == value for column, value in same if value]
        if self.since:
            tests.append(Conversation.updated_at >= self.since)
        if self.until:
            tests.append(Conversation.updated_at < self.until)
        tests += [
            test(value)
            for test, value in (
                (_match_outcome, self.outcome),
                (_handed_over, self.handoff),
                (_match_rating, self.rating),
            )
            if value
        ]
        if self.text:
            tests.append(_match_search_text(tenant_id, self.text.strip()))
        return tests


@dataclass(frozen=True)
class Listed:
    """One conversation in a list."""

    id: str
    channel: str
    status: str
    customer_id: str | None
    customer_name: str | None
    vip: bool
    messages: int
    last_text: str
    last_speaker: str
    outcome: str | None
    """Outcome of the last turn that has one."""
    handoff: str | None
    """State of the last handoff."""
    resolved: bool | None
    helpful: int
    """Number of thumbs up."""
    not_helpful: int
    """Number of thumbs down."""
    csat: int | None
    """CSAT score from 1 to 5."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class ConversationPage:
    """A page of matching conversations."""

    items: list[Listed]
    following: str | None
    """Cursor of the next page, or None on the last page."""
    total: int | None
    """Number of matches, COUNTED + 1 if there are more than COUNTED; only set on the first page."""


def get_conversation(session: Session, tenant_id: str, conversation_id: str) -> Conversation:
    """Return a conversation of the tenant.

    Raises:
        NotFound: the tenant has no such conversation.
    """
    conversation = session.get(Conversation, conversation_id)
    if conversation is None or conversation.tenant_id != tenant_id:
        raise NotFound("There is no such conversation.")
    return conversation


def list_conversations(
    session: Session, tenant_id: str, wanted: ConversationFilter, limit: int = 50, after: str | None = None
) -> ConversationPage:
    """Return a page of conversations; ``after`` is the ``following`` cursor of an earlier page.

    Raises:
        InvalidInput: ``after`` is not a cursor, or a filter value is unknown.
    """
    fits = select(Conversation.id).where(*wanted.conditions(tenant_id))
    if after:
        fits = fits.where(tuple_(Conversation.updated_at, Conversation.id) < tuple_(*_parse_page_cursor(after)))
    order = (Conversation.updated_at.desc(), Conversation.id.desc())
    # one query both finds and counts, since a text search scans every message
    ids = session.scalars(fits.order_by(*order).limit(limit + 1 if after else max(limit, COUNTED) + 1)).all()
    shown = session.scalars(select(Conversation).where(Conversation.id.in_(ids[:limit])).order_by(*order)).all()
    following = f"{shown[-1].updated_at.isoformat()}_{shown[-1].id}" if len(ids) > limit else None
    total = None if after else min(len(ids), COUNTED + 1)
    return ConversationPage(describe_conversations(session, list(shown)), following, total)


def list_channels(session: Session, tenant_id: str) -> list[str]:
    rows = select(Conversation.channel).where(Conversation.tenant_id == tenant_id).distinct()
    return sorted(session.scalars(rows))


def describe_conversations(session: Session, rows: list[Conversation]) -> list[Listed]:
    """Return the list items of conversations, with one query per table."""
    ids = [row.id for row in rows]
    said = _last_said(session, ids)
    outcomes = _load_newest_rows(
        session, select(Turn.conversation_id, Turn.outcome).where(Turn.outcome.is_not(None)), Turn, ids
    )
    handoffs = _load_newest_rows(session, select(Handoff.conversation_id, Handoff), Handoff, ids)
    marks = select(SurveyResponse.conversation_id, SurveyResponse.score).where(SurveyResponse.kind == "csat")
    csat = dict(session.execute(marks.where(SurveyResponse.conversation_id.in_(ids))).all())
    thumbs = _count_thumbs(session, ids)
    who = {row.customer_id for row in rows if row.customer_id}
    people = {each.id: each for each in session.scalars(select(Customer).where(Customer.id.in_(who)))}
    return [
        Listed(
            id=row.id,
            channel=row.channel,
            status=row.status,
            customer_id=row.customer_id,
            customer_name=person.name if (person := people.get(row.customer_id or "")) else None,
            vip=bool(person and person.vip),
            messages=row.last_seq,
            last_text=said[row.id].text if row.id in said else "",
            last_speaker=said[row.id].speaker if row.id in said else "",
            outcome=outcomes.get(row.id),
            handoff=handoff.state if (handoff := handoffs.get(row.id)) else None,
            resolved=handoff.resolved if handoff else None,
            helpful=thumbs[row.id, True],
            not_helpful=thumbs[row.id, False],
            csat=csat.get(row.id),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    ]


def _last_said(session: Session, ids: list[str]) -> dict[str, Message]:
    last = and_(Message.conversation_id == Conversation.id, Message.seq == Conversation.last_seq)
    rows = session.scalars(select(Message).join(Conversation, last).where(Conversation.id.in_(ids)))
    return {row.conversation_id: row for row in rows}


def _load_newest_rows(session: Session, query: Select, table: type[Turn | Handoff], ids: list[str]) -> dict:  # type: ignore[type-arg]
    """Return the value of the newest row of each conversation."""
    rows = session.execute(query.where(table.conversation_id.in_(ids)).order_by(table.id))
    return dict(rows.all())


def _count_thumbs(session: Session, ids: list[str]) -> Counter[tuple[str, bool]]:
    row = InteractionFeedback
    query = select(row.conversation_id, row.helpful, func.count()).where(row.conversation_id.in_(ids))
    counts = session.execute(query.where(row.helpful.is_not(None)).group_by(row.conversation_id, row.helpful))
    return Counter({(conversation_id, bool(helpful)): count for conversation_id, helpful, count in counts})


def _match_outcome(wanted: str) -> ColumnElement[bool]:
    _require_known_value(wanted, OUTCOMES)
    return exists().where(Turn.conversation_id == Conversation.id, Turn.outcome == wanted)


def _handed_over(wanted: str) -> ColumnElement[bool]:
    _require_known_value(wanted, HANDOFFS)
    if wanted == "open":
        return Conversation.handoff_id.is_not(None)
    there = Handoff.conversation_id == Conversation.id
    if wanted in {"resolved", "not_resolved"}:
        return exists().where(there, Handoff.resolved.is_(wanted == "resolved"))
    return exists().where(there) if wanted == "any" else ~exists().where(there)


def _match_rating(wanted: str) -> ColumnElement[bool]:
    _require_known_value(wanted, RATINGS)
    thumb, mark = InteractionFeedback, SurveyResponse
    if wanted in {"helpful", "not_helpful"}:
        return exists().where(thumb.conversation_id == Conversation.id, thumb.helpful.is_(wanted == "helpful"))
    high = mark.score >= SATISFIED if wanted == "satisfied" else mark.score < SATISFIED
    return exists().where(mark.conversation_id == Conversation.id, mark.kind == "csat", high)


def _match_search_text(tenant_id: str, text: str) -> ColumnElement[bool]:
    """Match by subqueries that each run once, not once per conversation."""
    said = select(Message.conversation_id).where(Message.tenant_id == tenant_id, _match_column_text(Message.text, text))
    named = select(Customer.id).where(Customer.tenant_id == tenant_id, _match_column_text(Customer.name, text))
    reached = select(Address.customer_id).where(
        Address.tenant_id == tenant_id, _match_column_text(Address.address, text)
    )
    return or_(
        Conversation.id == text,
        Conversation.external_id == text,
        Conversation.customer_id == text,
        Conversation.customer_id.in_(named),
        Conversation.customer_id.in_(reached),
        Conversation.id.in_(said),
    )


def _match_column_text(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    return column.icontains(text, autoescape=True)


def _require_known_value(value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidInput(f"{value!r} is none of {', '.join(known)}.")


def _parse_page_cursor(after: str) -> tuple[datetime, str]:
    moment, _, id_ = after.rpartition("_")
    try:
        return datetime.fromisoformat(moment), id_
    except ValueError:
        raise InvalidInput("This is not where a page begins.") from None
