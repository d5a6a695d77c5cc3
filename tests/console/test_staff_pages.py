"""What staff see and do on the pages."""

from __future__ import annotations

from html import unescape

import pytest

from core.db import Database
from core.db.models import Conversation, Message
from tests.console.staff import ANA, BEN, Staff, open_console
from tests.knowledge.review.doubles import T, add_entry, add_item, four_eyes, item, phrasings, served


@pytest.fixture
def staff(sqlite: Database) -> Staff:
    made = open_console(sqlite)
    made.index.sync(T)
    return made


async def test_every_page_has_a_policy_and_shows_what_customers_wrote_as_text(staff: Staff) -> None:
    id_ = add_item(staff.database, "<script>alert(1)</script>", answer="<img src=x onerror=alert(1)>")
    entry = add_entry(staff.database, "<script>alert(2)</script>")
    async with staff.browser(ANA) as browser:
        for path in ("/", "/review", f"/review/{id_}", "/entries", f"/entries/{entry}", "/users", "/settings"):
            response = await browser.get(path)
            assert response.status_code == 200
            assert "<script>alert" not in response.text and "<img src=x" not in response.text
            assert "default-src 'none'" in response.headers["content-security-policy"]
            assert response.headers["cache-control"] == "no-store"


async def test_the_queue_leads_from_one_item_to_the_next(staff: Staff) -> None:
    first, second = (add_item(staff.database, f"Question {n}", effect=9.0 - n) for n in range(2))
    async with staff.browser(ANA) as browser:
        assert "Question 0" in (await browser.get("/review")).text
        sent = await browser.send(f"/review/{first}/approve", revision=1, view="", following=second)
        assert sent.headers["location"] == f"/console/review/{second}?done={first}"
        page = unescape((await browser.get(f"/review/{second}?done={first}")).text)
        assert "Approved: “Question 0”. It is live." in " ".join(page.split())
        await browser.send(f"/review/{first}/undo", revision=2)
        assert item(staff.database, first).status == "open"


async def test_the_second_reviewer_reads_who_was_first_and_keeps_their_text(staff: Staff) -> None:
    id_ = add_item(staff.database)
    async with staff.browser(ANA) as ana, staff.browser(BEN) as ben:
        await ana.send(f"/review/{id_}/approve", revision=1)
        late = await ben.send(f"/review/{id_}/reject", revision=1, reason="no")
        assert late.status_code == 409
        assert f"approved by {ANA}" in late.text
    other = add_item(staff.database)
    async with staff.browser(ANA) as ana, staff.browser(BEN) as ben:
        await ana.send(f"/review/{other}/edit", revision=1, questions="Wrapped?", answer="Yes")
        late = await ben.send(f"/review/{other}/edit", revision=1, questions="My long words", answer="Mine")
        assert late.status_code == 409
        assert "My long words" in late.text
        assert item(staff.database, other).questions == ["Wrapped?"]


async def test_merge_reject_and_snooze(staff: Staff) -> None:
    entry = add_entry(staff.database)
    near = [{"entry_id": entry, "similarity": 0.8, "contradicts": True}]
    merged, rejected, snoozed = (add_item(staff.database, f"Wrap {n}?", near=near) for n in range(3))
    async with staff.browser(BEN) as browser:
        page = (await browser.get(f"/review/{merged}")).text
        assert "contradicts" in page and "<del>No" in page
        assert (await browser.send(f"/review/{merged}/merge", revision=1)).status_code == 422
        await browser.send(f"/review/{merged}/merge", revision=1, entry=entry)
        assert (await browser.send(f"/review/{rejected}/reject", revision=1, reason=" ")).status_code == 422
        await browser.send(f"/review/{rejected}/reject", revision=1, reason="not right")
        await browser.send(f"/review/{snoozed}/snooze", revision=1, days=7)
        assert (await browser.send(f"/review/{snoozed}/dance", revision=1)).status_code == 404
    assert [item(staff.database, id_).status for id_ in (merged, rejected, snoozed)] == [
        "merged",
        "rejected",
        "snoozed",
    ]
    assert phrasings(staff.database, entry) == ["Is it wrapped?", "Wrap 0?"]


async def test_while_the_index_is_away_the_page_says_so(staff: Staff) -> None:
    id_ = add_item(staff.database)
    staff.index.away = True
    async with staff.browser(ANA) as browser:
        await browser.send(f"/review/{id_}/approve", revision=1)
        assert served(staff.database) == {"Do you gift wrap?": "We wrap it for £4.50."}
        page = (await browser.get(f"/review?done={id_}")).text
        assert "goes live by meaning when the search index is back" in page
        assert "1 changed entry" in page
        staff.index.away = False
        staff.index.sync(T)
        assert "1 changed entry" not in (await browser.get("/review")).text


async def test_four_eyes_on_the_page(staff: Staff) -> None:
    four_eyes(staff.database)
    id_ = add_item(staff.database)
    async with staff.browser(ANA) as ana, staff.browser(BEN) as ben:
        await ana.send(f"/review/{id_}/approve", revision=1)
        assert "Somebody else must approve it too" in (await ana.get(f"/review/{id_}")).text
        assert f"{ANA} approved this first" in (await ben.get(f"/review/{id_}")).text
        await ben.send(f"/review/{id_}/approve", revision=2)
    assert item(staff.database, id_).status == "approved"


async def test_an_entry_is_written_changed_compared_and_restored(staff: Staff) -> None:
    async with staff.browser(ANA) as browser:
        made = await browser.send("/entries/new", questions="Is it wrapped?\nGift wrap?", answer="It costs £4.", reason="asked often")  # fmt: skip
        path = made.headers["location"].removeprefix("/console").partition("?")[0]
        await browser.send(
            f"{path}/edit", version=1, questions="Is it wrapped?", answer="It costs £5.", subject="Gifts"
        )
        page = (await browser.get(f"{path}?done")).text
        assert "<del>4</del><ins>5</ins>" in page and "<del>Gift wrap?</del>" in page and "and live" in page
        late = await browser.send(f"{path}/edit", version=1, questions="Late", answer="Too late")
        assert late.status_code == 409
        assert "Too late" in late.text
        await browser.send(f"{path}/restore", version=2, old=1)
        assert served(staff.database) == {"Is it wrapped?": "It costs £4."}
        await browser.send(f"{path}/retire", version=3)
        assert served(staff.database) == {}
        assert "Is it wrapped?" in (await browser.get("/entries?search=gift&status=retired")).text
        assert (await browser.send("/entries/new", questions="q", answer=" ")).status_code == 422
        assert (await browser.get("/entries/none")).status_code == 404


async def test_evidence_is_read_in_its_conversation(staff: Staff) -> None:
    with staff.database.session() as session:
        talk = Conversation(tenant_id=T, channel="web")
        stranger = Conversation(tenant_id="other", channel="web")
        session.add_all([talk, stranger])
        session.flush()
        said = Message(tenant_id=T, conversation_id=talk.id, seq=1, speaker="agent", text="We wrap it.")
        session.add(said)
        session.flush()
    evidence = [{"conversation_id": talk.id, "message_id": said.id, "question": "wrap?", "answer": "We wrap it."}]
    id_ = add_item(staff.database, evidence=evidence)
    async with staff.browser(ANA) as browser:
        assert f"/console/conversations/{talk.id}?message={said.id}" in (await browser.get(f"/review/{id_}")).text
        assert "We wrap it." in (await browser.get(f"/conversations/{talk.id}")).text
        assert (await browser.get(f"/conversations/{stranger.id}")).status_code == 404


async def test_settings_are_changed_or_refused_with_the_reason(staff: Staff) -> None:
    async with staff.browser(ANA) as browser:
        values = {"ask_feedback": "sometimes", "nps_days": "30", "expire_weeks": "4", "faq_asks": "5", "faq_days": "7", "reuse_error": "0.01", "hold_out": "0"}  # fmt: skip
        assert (await browser.send("/settings", **values, four_eyes="1")).status_code == 303
        page = (await browser.get("/settings")).text
        assert 'name="four_eyes" value="1" checked' in page
        wrong = await browser.send("/settings", **{**values, "hold_out": "7"})
        assert wrong.status_code == 422
        assert "hold_out" in wrong.text


async def test_nonsense_is_answered_with_a_page(staff: Staff) -> None:
    async with staff.browser(ANA) as browser:
        for path in ("/review?page=-1&status=x&kind=y", "/review?page=999999999999", "/entries?page=zero", "/?days=1000"):  # fmt: skip
            assert (await browser.get(path)).status_code == 200, path
        assert (await browser.get("/review/none")).status_code == 404
        assert (await browser.send("/review/none/approve", revision="many")).status_code == 422
        assert (await browser.send("/review/none/approve", revision="1")).status_code == 404
        response = await browser.http.post("/console/users", content=b"\xff\xfe=")
        assert response.status_code == 422
