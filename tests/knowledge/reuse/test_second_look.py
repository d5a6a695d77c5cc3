"""Near misses reach a reviewer, and only a reviewer widens an entry."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from core.db import Database
from core.db.models import Conversation, Message, ReuseObservation, ReviewItem, Turn, get_current_time
from core.errors import NoProviderLeft
from core.llm.types import Completion, Request, Usage
from knowledge.answers import reuse
from knowledge.answers.prompt_texts import Prompts
from knowledge.curation.near_miss_review import NearMissReview
from knowledge.entries.content import Content
from knowledge.entries.editor import Change, EntryEditor

TENANT = "t"
ASKED = "What would it cost me to have it brought to my door?"


class Nothing:
    """No message gives orders."""

    def gives_orders(self, text: str) -> bool:
        return False


@dataclass
class Decided:
    models: tuple[str, ...]


@dataclass
class Model:
    """A router with one model that always replies the same; None: no model is set up; "": it fails."""

    reply: str | None
    asked: int = 0

    def decide(self, request: Request) -> Decided:
        assert request.caller.purpose == "judge"
        return Decided(() if self.reply is None else ("model",))

    async def complete(self, request: Request) -> Completion:
        assert ASKED in request.messages[-1].text
        self.asked += 1
        if not self.reply:
            raise NoProviderLeft
        return Completion(self.reply, "model", Usage(1, 1))


def near_miss(database: Database) -> str:
    """An entry that a customer's question stayed just below the bound of; its observation's turn."""
    with database.session() as session:
        content = Content("faq", "Delivery is 4.90.", ("How much is delivery?",))
        entry = EntryEditor(session, TENANT, Change("test", "test")).add(content, approved=True)
        conversation = Conversation(tenant_id=TENANT, channel="web")
        session.add(conversation)
        session.flush()
        message = Message(tenant_id=TENANT, conversation_id=conversation.id, seq=1, speaker="customer", text=ASKED)
        session.add(message)
        session.flush()
        turn = Turn(tenant_id=TENANT, conversation_id=conversation.id, message_id=message.id, channel="web")
        session.add(turn)
        session.flush()
        reuse.record_observation(session, TENANT, entry.id, turn_id=turn.id, text=ASKED, score=0.8, reused=False)
        return turn.id


async def looked(database: Database, model: Model) -> int:
    return await NearMissReview(database, model, Prompts.load(), Nothing()).run()


def items(database: Database) -> list[ReviewItem]:
    with database.session() as session:
        found = list(session.scalars(select(ReviewItem)))
        session.expunge_all()
        return found


def opinion(database: Database) -> tuple[bool | None, str | None]:
    with database.session() as session:
        row = session.scalars(select(ReuseObservation)).one()
        return row.correct, row.judged_by


async def test_without_a_model_a_reviewer_is_asked_once(sqlite: Database) -> None:
    near_miss(sqlite)
    assert await looked(sqlite, Model(None)) == 1
    assert await looked(sqlite, Model(None)) == 0
    (item,) = items(sqlite)
    assert (item.kind, item.questions, item.asks) == ("phrasing", [ASKED], 1)
    assert opinion(sqlite) == (None, None)


async def test_a_models_yes_goes_to_the_reviewer_too(sqlite: Database) -> None:
    near_miss(sqlite)
    assert await looked(sqlite, Model("9")) == 1
    assert len(items(sqlite)) == 1
    assert opinion(sqlite) == (True, "model")


async def test_a_models_no_ends_it(sqlite: Database) -> None:
    near_miss(sqlite)
    model = Model("2")
    assert await looked(sqlite, model) == 0
    assert await looked(sqlite, model) == 0
    assert (items(sqlite), model.asked, opinion(sqlite)) == ([], 1, (False, "model"))


async def test_a_model_that_fails_leaves_it_to_the_reviewer(sqlite: Database) -> None:
    near_miss(sqlite)
    assert await looked(sqlite, Model("")) == 1


@pytest.mark.parametrize(("status", "right"), [("approved", True), ("rejected", False)])
async def test_what_the_reviewer_says_moves_the_bound(sqlite: Database, status: str, right: bool) -> None:
    near_miss(sqlite)
    await looked(sqlite, Model(None))
    with sqlite.session() as session:
        item = session.scalars(select(ReviewItem)).one()
        item.status, item.decided_at = status, get_current_time()
        session.flush()
        assert reuse.apply_judgements(session) == 1
    assert opinion(sqlite) == (right, "reviewer")
