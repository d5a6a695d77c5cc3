"""Conversations are found by what was said and by what became of them, page by page, on each kind of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.conversations import customer_profile, search
from core.conversations.search import ConversationFilter
from core.db import Database
from core.db.models import (
    Address,
    Conversation,
    Customer,
    Handoff,
    HandoffNote,
    InteractionFeedback,
    Message,
    SurveyResponse,
    Turn,
)
from core.errors import InvalidInput, NotFound

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ("lamp", "refund", "parcel", "other")


@pytest.fixture
def ids(database: Database) -> dict[str, str]:
    """One conversation a name, an hour apart; "other" is another tenant's."""
    with database.session() as session:
        session.add(Customer(id="ada", tenant_id="shop", name="Ada 100% King"))
        session.flush()
        session.add(Address(tenant_id="shop", customer_id="ada", channel="sms", address="+447700900123"))
        made = {name: _talk(session, name, START + timedelta(hours=n)) for n, name in enumerate(NAMES)}
        session.flush()
        found = {name: conversation.id for name, conversation in made.items()}
        lamp, refund, parcel = (made[name] for name in NAMES[:3])
        lamp.customer_id, parcel.channel = "ada", "sms"
        _rated(session, lamp, helpful=True, csat=5)
        _rated(session, refund, helpful=False, csat=2)
        handoff = Handoff(tenant_id="shop", conversation_id=lamp.id, state="closed", trigger="asked", resolved=True, from_seq=1, recorded_seq=1)  # fmt: skip
        session.add(handoff)
        session.flush()
        session.add(HandoffNote(tenant_id="shop", handoff_id=handoff.id, text="Likes blue", by="ben"))
    return found


def _talk(session, name: str, at: datetime) -> Conversation:
    tenant = "other" if name == "other" else "shop"
    row = Conversation(tenant_id=tenant, channel="web", last_seq=1, created_at=at, updated_at=at)
    session.add(row)
    session.flush()
    text = f"Where is my {name}? 50%_off"
    session.add(Message(tenant_id=tenant, conversation_id=row.id, seq=1, speaker="customer", text=text))
    return row


def _rated(session, conversation: Conversation, *, helpful: bool, csat: int) -> None:
    same = {"tenant_id": conversation.tenant_id, "conversation_id": conversation.id}
    message = Message(**same, seq=2, speaker="bot", text="An answer")
    session.add(message)
    session.flush()
    conversation.last_seq = 2
    outcome = "answered" if helpful else "unknown"
    turn = Turn(**same, message_id=message.id, channel="web", status="answered", outcome=outcome)
    session.add(turn)
    session.flush()
    session.add(InteractionFeedback(**same, turn_id=turn.id, message_id=message.id, helpful=helpful))
    session.add(SurveyResponse(**same, kind="csat", score=csat))


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (ConversationFilter(), ["parcel", "refund", "lamp"]),
        (ConversationFilter("REFUND"), ["refund"]),
        (ConversationFilter("%"), ["parcel", "refund", "lamp"]),
        (ConversationFilter("50%_"), ["parcel", "refund", "lamp"]),
        (ConversationFilter("5_%"), []),
        (ConversationFilter("ada 100%"), ["lamp"]),
        (ConversationFilter("+4477009"), ["lamp"]),
        (ConversationFilter("ada"), ["lamp"]),
        (ConversationFilter(customer_id="ada"), ["lamp"]),
        (ConversationFilter(channel="sms"), ["parcel"]),
        (ConversationFilter(outcome="unknown"), ["refund"]),
        (ConversationFilter(handoff="any"), ["lamp"]),
        (ConversationFilter(handoff="resolved"), ["lamp"]),
        (ConversationFilter(handoff="not_resolved"), []),
        (ConversationFilter(handoff="none"), ["parcel", "refund"]),
        (ConversationFilter(handoff="open"), []),
        (ConversationFilter(rating="helpful"), ["lamp"]),
        (ConversationFilter(rating="not_helpful"), ["refund"]),
        (ConversationFilter(rating="satisfied"), ["lamp"]),
        (ConversationFilter(rating="dissatisfied"), ["refund"]),
        (ConversationFilter(since=START + timedelta(hours=1)), ["parcel", "refund"]),
        (ConversationFilter(until=START + timedelta(hours=1)), ["lamp"]),
        (ConversationFilter("where", rating="helpful", channel="sms"), []),
    ],
)
def test_each_filter(database: Database, ids: dict[str, str], wanted: ConversationFilter, names: list[str]) -> None:
    named = {id_: name for name, id_ in ids.items()}
    with database.session() as session:
        page = search.list_conversations(session, "shop", wanted)
        assert ([named[each.id] for each in page.items], page.total) == (names, len(names))


def test_by_its_id_and_with_all_that_belongs_to_it(database: Database, ids: dict[str, str]) -> None:
    with database.session() as session:
        (one,) = search.list_conversations(session, "shop", ConversationFilter(ids["lamp"])).items
    assert (one.customer_name, one.last_text, one.outcome, one.handoff, one.resolved) == (
        "Ada 100% King", "An answer", "answered", "closed", True,
    )  # fmt: skip
    assert (one.helpful, one.not_helpful, one.csat, one.messages) == (1, 0, 5, 2)


def test_pages_neither_repeat_nor_leave_out(database: Database, ids: dict[str, str]) -> None:
    seen: list[str] = []
    with database.session() as session:
        for each in session.query(Conversation):
            each.updated_at = START  # all at the same moment
        session.flush()
        after: str | None = ""
        while after is not None:
            page = search.list_conversations(session, "shop", ConversationFilter(), 1, after or None)
            seen += [each.id for each in page.items]
            after = page.following
    assert sorted(seen) == sorted(ids[name] for name in NAMES[:3])


def test_wrong_filters_are_refused(sqlite: Database) -> None:
    with sqlite.session() as session:
        for name in ("outcome", "handoff", "rating"):
            with pytest.raises(InvalidInput):
                search.list_conversations(session, "shop", replace(ConversationFilter(), **{name: "lost"}))


def test_a_customers_record(database: Database, ids: dict[str, str]) -> None:
    with database.session() as session:
        customer_profile.update_customer(session, "shop", "ada", "ben", vip=True, name="  Ada   King ", language="")
        record = customer_profile.get_customer_record(session, "shop", "ada")
        assert (record.name, record.vip, record.language, record.total) == ("Ada King", True, None, 1)
        assert [(each.address, each.verified) for each in record.addresses] == [("+447700900123", False)]
        assert [each.text for each in record.notes] == ["Likes blue"]
        assert [each.id for each in record.conversations] == [ids["lamp"]]
        for work in (lambda: customer_profile.get_customer_record(session, "other", "ada"), lambda: customer_profile.update_customer(session, "shop", "nobody", "ben", vip=True)):  # fmt: skip
            with pytest.raises(NotFound):
                work()
