"""Whom a customer is talking to, as they may know it."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import Conversation, Handoff, User
from core.handoffs.customer_status import CustomerStatus, get_handoff_standing


def handoff(session: Session, state: str, claimed_by: str | None) -> str:
    conversation = Conversation(tenant_id="shop", channel="web")
    session.add(conversation)
    session.flush()
    session.add(
        Handoff(
            tenant_id="shop",
            conversation_id=conversation.id,
            state=state,
            trigger="asked",
            reason="",
            claimed_by=claimed_by,
            from_seq=1,
            recorded_seq=1,
        )
    )
    session.add(User(tenant_id="shop", email="bea@shop.example", name="Bea Baker", password_hash="", role="reviewer"))
    session.flush()
    return conversation.id


@pytest.mark.parametrize(
    ("state", "claimed_by", "seen"),
    [
        ("requested", None, CustomerStatus("requested")),
        ("claimed", "bea@shop.example", CustomerStatus("claimed", "Bea")),
        ("with_person", "Ada Lovelace", CustomerStatus("with_person", "Ada")),
        ("with_person", "nobody.known@shop.example", CustomerStatus("with_person", None)),
        ("timed_out", "bea@shop.example", CustomerStatus("timed_out", None)),
        ("returned", "bea@shop.example", CustomerStatus("bot")),
        ("closed", "bea@shop.example", CustomerStatus("bot")),
    ],
)
def test_the_first_name_is_told_and_never_an_address(
    sqlite: Database, state: str, claimed_by: str | None, seen: CustomerStatus
) -> None:
    with sqlite.session() as session:
        assert get_handoff_standing(session, handoff(session, state, claimed_by)) == seen


def test_without_a_handoff_it_is_the_bot(sqlite: Database) -> None:
    with sqlite.session() as session:
        assert get_handoff_standing(session, "none") == CustomerStatus("bot")
