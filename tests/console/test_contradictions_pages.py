"""Staff see what contradicts, and choose; and they see what was imported."""

from __future__ import annotations

import httpx

from core.db import Database
from core.db.models import KnowledgeSource, SourceDocument
from knowledge.entries import contradictions
from tests.console.staff import ANA, TOKEN, open_console
from tests.knowledge.review.doubles import T, add_entry, served


def two_prices(database: Database) -> str:
    """The entry that says 11 euros."""
    add_entry(database, "What does it cost?", "8 euros.")
    kept = add_entry(database, "what does it cost", "11 euros.")
    with database.session() as session:
        contradictions.sync_contradiction_items(session, T)
    return kept


async def test_a_contradiction_is_shown_with_its_answers_and_one_is_kept(sqlite: Database) -> None:
    staff, kept = open_console(sqlite), two_prices(sqlite)
    async with staff.browser(ANA) as browser:
        page = (await browser.get("/review?kind=contradiction")).text
        assert page.count("Keep this one") == 2
        assert ("8 euros." in page, "11 euros." in page, "Approve <kbd>" in page) == (True, True, False)
        with sqlite.session() as session:
            [item] = contradictions._list_contradiction_items(session, T, ("open",))
        assert (await browser.send(f"/review/{item.id}/keep", revision=1, entry=kept)).status_code == 303
        assert served(sqlite) == {"what does it cost": "11 euros."}
        assert "Undo" in (await browser.get(f"/review/{item.id}")).text
        await browser.send(f"/review/{item.id}/undo", revision=2)
        assert len(served(sqlite)) == 2


async def test_one_that_is_mended_by_hand_leaves_the_queue(sqlite: Database) -> None:
    staff, kept = open_console(sqlite), two_prices(sqlite)
    async with staff.browser(ANA) as browser:
        await browser.send(f"/entries/{kept}/retire", version=1)
        page = (await browser.get("/review?status=settled")).text
        assert "what does it cost" in page.lower()
        assert "Keep this one" not in page
        assert "different answers" not in (await browser.get("/review")).text.split("Kind")[-1].split("</form>")[-1]


async def test_programs_keep_one_side_and_list_the_sources(sqlite: Database) -> None:
    staff, kept = open_console(sqlite), two_prices(sqlite)
    with sqlite.session() as session:
        session.add(
            KnowledgeSource(tenant_id=T, name="help", place="/x", failed=1, failures=[{"uri": "a", "reason": "b"}])
        )
        session.add(SourceDocument(tenant_id=T, origin="help", uri="c.md", title="C", content_hash=""))
    transport = httpx.ASGITransport(staff.app)
    base = "http://app/api/v1/ai/training/"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=TOKEN) as api:
        [item] = (await api.get("training-data/?kind=contradiction")).json()["items"]
        done = await api.post(f"training-data/{item['id']}/keep/", json={"revision": 1, "entry_id": kept})
        assert (done.status_code, done.json()["status"], done.json()["entry_id"]) == (200, "approved", kept)
        [source] = (await api.get("knowledge-base/sources/")).json()
        assert (source["name"], source["documents"], source["failures"]) == ("help", 1, [{"uri": "a", "reason": "b"}])
    async with staff.browser(ANA) as browser:
        assert "1 imported source" in (await browser.get("/entries")).text
