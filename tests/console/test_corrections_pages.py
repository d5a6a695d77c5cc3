"""Corrections on the console's pages: proposed from a conversation, decided, and what approval did."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.db import Database
from core.db.models import AuditEvent, Conversation, HumanCorrection, Message, Turn
from core.settings import Settings
from knowledge.curation.corrections.service import Corrections
from knowledge.embeddings.embedder import Embedder
from knowledge.services import Knowledge
from tests.console.staff import ANA, BEN, VERA, Browser, Staff, open_console
from tests.knowledge.review.doubles import T, add_entry, phrasings, served

QUESTION, WRONG, RIGHT = "Is it wrapped?", "Yes, for £6.50 an item.", "Yes, for £4.50 an item."


@pytest.fixture
def staff(sqlite: Database) -> Staff:
    made = open_console(sqlite)
    made.index.sync(T)
    return made


def answered(database: Database, asked: str = "Do you wrap gifts?") -> tuple[str, str, str]:
    """A conversation in which an entry misled: its id, the answer's message, the entry."""
    entry = add_entry(database, QUESTION, WRONG)
    with database.session() as session:
        talk = Conversation(tenant_id=T, channel="web")
        session.add(talk)
        session.flush()
        common = {"tenant_id": T, "conversation_id": talk.id}
        said = Message(**common, seq=1, speaker="customer", text=asked)
        session.add(said)
        session.flush()
        used = [{"id": entry, "version": 1, "score": 0.9, "external_id": None}]
        turn = Turn(**common, message_id=said.id, channel="web", status="answered", outcome="answered", entries=used)
        session.add(turn)
        session.flush()
        answer = Message(**common, seq=2, speaker="bot", text=WRONG, turn_id=turn.id)
        session.add(answer)
        session.flush()
        return talk.id, answer.id, entry


async def proposed(browser: Browser, message: str, **fields: str) -> str:
    values = {"category": "wrong_fact", "answer": RIGHT, "message": message, **fields}
    sent = await browser.send("/corrections/new", **values)
    assert sent.status_code == 303, sent.text
    return sent.headers["location"].removeprefix("/console").partition("?")[0]


async def test_from_the_conversation_to_the_right_answer_and_back(staff: Staff) -> None:
    talk, message, entry = answered(staff.database)
    async with staff.browser(BEN) as ben, staff.browser(ANA) as ana:
        assert f"/console/corrections/new?message={message}" in (await ben.get(f"/conversations/{talk}")).text
        form = (await ben.get(f"/corrections/new?message={message}")).text
        assert "Do you wrap gifts?" in form and WRONG in form and QUESTION in form
        path = await proposed(ben, message, quality="1", reason="since May")
        assert path in (await ben.get(f"/conversations/{talk}")).text
        page = (await ana.get(path)).text
        assert "<del>6</del>" in page and "<ins>4</ins>" in page and "1 of 5" in page and "since May" in page
        await ana.send(f"{path}/approve")
        assert served(staff.database) == {QUESTION: RIGHT}
        assert phrasings(staff.database, entry) == [QUESTION, "Do you wrap gifts?"]
        assert staff.forgotten == [T]
        page = (await ana.get(f"{path}?done=approve")).text
        assert "Approved. It is live." in page and "Amended entry" in page and "Regression case" in page
        assert page.count("the right answer") == 2
        await ben.send(f"{path}/undo")
        assert served(staff.database) == {QUESTION: WRONG}
        page = (await ben.get(path)).text
        assert "undo took back" in page and "switched off" in page and "the answer from before" in page
    with staff.database.session() as session:
        rows = session.query(AuditEvent).filter_by(kind="correction").order_by(AuditEvent.id)
        assert [(row.action, row.by) for row in rows] == [("proposed", BEN), ("approved", ANA), ("undone", BEN)]


async def test_a_wrong_intent_becomes_a_training_example(staff: Staff) -> None:
    _, message, _ = answered(staff.database)
    async with staff.browser(BEN) as ben:
        path = await proposed(ben, message, category="wrong_intent", intent="order_status", answer="")
        await ben.send(f"{path}/approve")
        page = (await ben.get(path)).text
        assert "Training example" in page and "order_status" in page
        assert "Do you wrap gifts?" in (await ben.get("/examples?status=approved")).text


async def test_the_list_is_filtered(staff: Staff) -> None:
    async with staff.browser(BEN) as ben:
        for text, category in (("First?", "tone"), ("Second?", "policy")):
            await proposed(ben, "", question=text, bot_answer="Well.", category=category)
        page = (await ben.get("/corrections?category=tone")).text
        assert "First?" in page and "Second?" not in page
        assert "Second?" in (await ben.get("/corrections?status=proposed&category=nonsense&page=x")).text
        assert "Nothing fits" in (await ben.get("/corrections?status=approved")).text


async def test_a_rejection_has_a_reason_and_comes_once(staff: Staff) -> None:
    _, message, _ = answered(staff.database)
    async with staff.browser(BEN) as ben, staff.browser(ANA) as ana:
        path = await proposed(ben, message)
        assert (await ana.send(f"{path}/reject", reason=" ")).status_code == 422
        assert (await ana.send(f"{path}/reject", reason="It is never wrapped")).status_code == 303
        late = await ben.send(f"{path}/approve")
        assert late.status_code == 409
        assert f"rejected by {ANA}" in late.text
        assert "It is never wrapped" in (await ben.get(path)).text
    assert served(staff.database) == {QUESTION: WRONG}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"answer": ""}, "The answer is empty"),
        ({"answer": WRONG}, "says what the bot has said"),
        ({"category": "colour"}, "The category is one of"),
        ({"category": "wrong_intent"}, "Say the intent"),
        ({"quality": "9"}, "0 to 5"),
        ({"quality": "good"}, "not a number"),
        ({"entry_action": "burn"}, "amend, retire, keep"),
    ],
)
async def test_what_cannot_be_proposed_is_said_and_the_text_is_kept(staff: Staff, fields: dict, said: str) -> None:
    _, message, _ = answered(staff.database)
    values = {"category": "wrong_fact", "answer": RIGHT, "message": message, "reason": "kept words", **fields}
    async with staff.browser(BEN) as ben:
        refused = await ben.send("/corrections/new", **values)
        assert refused.status_code == 422
        assert said in refused.text and "kept words" in refused.text
    with staff.database.session() as session:
        assert session.query(HumanCorrection).count() == 0


async def test_who_may_only_look_changes_nothing(staff: Staff) -> None:
    _, message, _ = answered(staff.database)
    async with staff.browser(BEN) as ben, staff.browser(VERA) as vera:
        path = await proposed(ben, message)
        page = (await vera.get(path)).text
        assert "Do you wrap gifts?" in page and "Approve" not in page
        assert "New correction" not in (await vera.get("/corrections")).text
        assert (await vera.get(f"/corrections/new?message={message}")).status_code == 403
        assert (await vera.send("/corrections/new", answer="x", category="tone", question="q")).status_code == 403
        for decision in ("approve", "reject", "undo", "check"):
            assert (await vera.send(f"{path}/{decision}", reason="no")).status_code == 403
    with staff.database.session() as session:
        assert session.query(HumanCorrection).one().status == "proposed"


async def test_what_is_not_there(staff: Staff) -> None:
    async with staff.browser(BEN) as ben:
        for path in ("/corrections/none", "/corrections/new?message=none"):
            assert (await ben.get(path)).status_code == 404
        for decision in ("approve", "dance"):
            assert (await ben.send(f"/corrections/none/{decision}")).status_code == 404


@pytest.fixture
def really_away(settings: Settings, sqlite: Database) -> Iterator[Corrections]:
    """With the real indexes; nobody listens where Chroma should be."""
    corrections = Knowledge(settings, sqlite, Embedder()).corrections
    yield corrections
    corrections.close()


async def test_with_chroma_down_the_page_says_when_it_goes_live(
    settings: Settings, sqlite: Database, really_away: Corrections, chroma_url: str
) -> None:
    staff = open_console(sqlite, corrections=really_away)
    _, message, _ = answered(staff.database)
    async with staff.browser(BEN) as ben:
        path = await proposed(ben, message)
        assert (await ben.send(f"{path}/approve")).status_code == 303
        page = (await ben.get(f"{path}?done=approve")).text
        assert "This approval is stored." in page and "not live yet" in page
        assert "It is live" not in page
        assert served(staff.database) == {QUESTION: RIGHT}
        back = Knowledge(settings.model_copy(update={"chroma_url": chroma_url}), sqlite, Embedder())
        back.synchroniser.sync(T)
        back.close()
        page = (await ben.get(path)).text
        assert "not live yet" not in page and ">live<" in page
