"""`bench inbox`: how fast the console's lists are with 50,000 turns, 200 open handoffs among them.

In one process on SQLite: the very queries that the pages make, one after the other.
The texts are drawn from a fixed seed; “rare” words are in one conversation, “common” ones in most.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert
from sqlalchemy.orm import Session

from benchmarks.report import Result, at_most
from console.auth.roles import PERMISSIONS
from console.auth.sessions import Person
from console.pages.staff import inbox_parts
from console.pages.staff.inbox_parts import InboxView
from core.conversations import search
from core.conversations.search import OUTCOMES, ConversationFilter
from core.db import Database
from core.db.models import (
    Conversation,
    Customer,
    Handoff,
    InteractionFeedback,
    Message,
    Turn,
    generate_id,
    get_current_time,
)
from core.db.upgrade import upgrade_database

OPTIONS = {"turns": 50_000, "times": 20}
TENANT, TURNS_EACH, OPEN, SEED = "shop", 5, 200, 11
GOAL_MS = 200.0
WORDS = (
    "order",
    "lamp",
    "refund",
    "delivery",
    "parcel",
    "size",
    "colour",
    "gift",
    "card",
    "invoice",
    "where",
    "when",
    "my",
)
ANA = Person("ana@example.com", "Ana", "admin", PERMISSIONS["admin"])


def run(_data: Path, turns: float, times: float) -> Result:
    """Fill a database and measure each list."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/inbox.db")
        upgrade_database(database)
        count = int(turns) // TURNS_EACH
        handoffs = _fill(database, count)
        figures = {name: _measured(database, work, int(times)) for name, work in _lists(handoffs).items()}
        database.close()
    worst = max(figures.values(), key=lambda each: each["p95_ms"])["p95_ms"]
    return {
        "figures": {"conversations": count, "turns": count * TURNS_EACH, "open_handoffs": OPEN, "lists": figures},
        "targets": [at_most("the slowest list, ms p95", worst, GOAL_MS)],
    }


def _lists(handoffs: list[str]) -> dict[str, Callable[[Session], Any]]:
    def found(wanted: ConversationFilter, deep: int = 0) -> Callable[[Session], Any]:
        def work(session: Session) -> None:
            page = search.list_conversations(session, TENANT, wanted)
            for _ in range(deep):
                page = search.list_conversations(session, TENANT, wanted, after=page.following)

        return work

    def inbox(view: InboxView, chosen: str | None = None) -> Callable[[Session], Any]:
        return lambda session: inbox_parts.load_inbox(session, TENANT, view, ANA, chosen)

    recent = ConversationFilter(outcome="unknown", rating="not_helpful", since=get_current_time() - timedelta(days=30))
    return {
        "inbox": inbox(InboxView()),
        "inbox, one chosen": inbox(InboxView(), handoffs[0]),
        "inbox, searched": inbox(InboxView(text="zebra")),
        "conversations": found(ConversationFilter()),
        "conversations, page 5": found(ConversationFilter(), deep=4),
        "conversations, a common word": found(ConversationFilter("refund")),
        "conversations, a rare word": found(ConversationFilter("zebra")),
        "conversations, an id": found(ConversationFilter("no such id")),
        "conversations, unknown and not helpful": found(recent),
        "conversations, resolved by a person": found(ConversationFilter(handoff="resolved")),
        "conversations, without handoff": found(ConversationFilter(handoff="none")),
    }


def _measured(database: Database, work: Callable[[Session], Any], times: int) -> dict[str, float]:
    took = []
    for _ in range(times):
        with database.session() as session:
            began = time.perf_counter()
            work(session)
            took.append((time.perf_counter() - began) * 1000)
    return {"p50_ms": round(float(np.median(took)), 1), "p95_ms": round(float(np.percentile(took, 95)), 1)}


def _fill(database: Database, count: int) -> list[str]:
    """Conversations with turns, thumbs and handoffs; the ids of the open ones."""
    draw, rows, handoffs = random.Random(SEED), _Rows(), []
    for n in range(count):
        at = get_current_time() - timedelta(minutes=5 * (count - n))
        conversation = rows.conversation(draw, n, at)
        if n >= count - OPEN or n % 20 == 0:
            is_open = n >= count - OPEN
            id_ = rows.handoff(conversation, is_open=is_open, urgent=n % 3 == 0, at=at)
            handoffs += [id_] if is_open else []
    with database.session() as session:
        for table, values in rows.made.items():
            session.execute(insert(table), values)
    return handoffs


class _Rows:
    """What is inserted, by table."""

    def __init__(self) -> None:
        tables: tuple[type, ...] = (Customer, Conversation, Message, Turn, InteractionFeedback, Handoff)
        self.made: dict[type, list[dict[str, Any]]] = {table: [] for table in tables}

    def conversation(self, draw: random.Random, number: int, at: Any) -> dict[str, Any]:
        customer = f"customer-{number // 2}"
        if number % 2 == 0:
            self.made[Customer].append(
                {"id": customer, "tenant_id": TENANT, "name": f"Customer {number}", "vip": False}
            )
        row = {
            "id": generate_id(), "tenant_id": TENANT, "channel": draw.choice(("web", "web", "whatsapp")), "status": "open",
            "customer_id": customer, "last_seq": TURNS_EACH * 2, "created_at": at, "updated_at": at, "handoff_id": None,
        }  # fmt: skip
        self.made[Conversation].append(row)
        for turn in range(TURNS_EACH):
            self._turn(draw, row, turn, rare=number == 0 and turn == 0)
        return row

    def _turn(self, draw: random.Random, conversation: dict[str, Any], number: int, *, rare: bool) -> None:
        same = {"tenant_id": TENANT, "conversation_id": conversation["id"]}
        said = " ".join(draw.choices(WORDS, k=14)) + (" zebra" if rare else "")
        id_, turn = generate_id(), generate_id()
        common = {**same, "created_at": conversation["created_at"]}
        self.made[Message] += [
            {**common, "id": id_, "seq": 2 * number + 1, "speaker": "customer", "text": said, "turn_id": None},
            {**common, "id": generate_id(), "seq": 2 * number + 2, "speaker": "bot", "text": said * 3, "turn_id": turn},
        ]
        outcome = draw.choice(OUTCOMES)
        self.made[Turn].append({**common, "id": turn, "message_id": id_, "channel": "web", "status": "answered", "outcome": outcome})  # fmt: skip
        if number == 0:
            thumb = {"turn_id": turn, "message_id": id_, "helpful": draw.random() > 0.2}
            self.made[InteractionFeedback].append({**same, **thumb})

    def handoff(self, conversation: dict[str, Any], *, is_open: bool, urgent: bool, at: Any) -> str:
        id_ = generate_id()
        conversation["handoff_id"] = id_ if is_open else None
        self.made[Handoff].append({
            "id": id_, "tenant_id": TENANT, "conversation_id": conversation["id"], "trigger": "asked", "from_seq": 2,
            "state": "requested" if is_open else "closed", "resolved": None if is_open else True, "recorded_seq": 2,
            "urgency": "high" if urgent else "normal", "requested_at": at, "summary": "Wants to know where it is.",
        })  # fmt: skip
        return id_
