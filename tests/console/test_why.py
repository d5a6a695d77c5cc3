"""Why a message is answered as it is: the API and the page. What is tested holds for any weights of the reader."""

from __future__ import annotations

from html import unescape

import pytest

from core.db import Database
from core.db.models import Turn
from tests.console.staff import ANA, TOKEN, VERA, Staff, open_console
from tests.console.test_corrections_pages import QUESTION, WRONG, answered
from tests.knowledge.review.doubles import T, add_entry

WHY = "/v1/bot/knowledge/why"


@pytest.fixture
def staff(sqlite: Database) -> Staff:
    made = open_console(sqlite)
    made.index.sync(T)
    return made


def words(page: str) -> str:
    return " ".join(unescape(page).split())


async def test_the_api_gives_reasons_numbers_and_the_skill_decision(staff: Staff) -> None:
    entry = add_entry(staff.database, "How much is delivery?", "It is £4.")
    async with staff.browser() as browser:
        response = await browser.http.get(WHY, params={"text": "how much is delivery"}, headers=TOKEN)
        assert response.status_code == 200, response.text
        found = response.json()
        assert (found["outcome"], found["level"], found["settings"]["wrong_answers"]) == ("answered", "exact", 0.02)
        (part,) = found["parts"]
        assert part["why"] == "Sent as it is: these are the very words of a question that the knowledge has."
        assert (part["rule"], part["exact"]["chosen"], part["candidates"][0]["id"]) == ("exact", entry, entry)
        assert (found["skill"]["by"], found["skill"]["rule"]) == ("knowledge", "exact")
        said = [{"speaker": "customer", "text": "How much is delivery?"}, {"speaker": "bot", "text": "It is £4."}]
        after = await browser.http.post(WHY, json={"text": "And to France?", "history": said}, headers=TOKEN)
        assert "How much is delivery? And to France?" in after.json()["parts"][0]["looked_up"]


async def test_while_rasa_is_away_the_rest_is_explained(staff: Staff) -> None:
    staff.understanding.away = True
    async with staff.browser() as browser:
        found = (await browser.http.get(WHY, params={"text": "Anything?"}, headers=TOKEN)).json()
    assert not found["skill"]["understood"]
    assert found["parts"][0]["why"].startswith("Not answered")


@pytest.mark.parametrize(
    ("query", "status"),
    [({}, 422), ({"text": "Hi", "turn": "x"}, 422), ({"turn": "x"}, 404), ({"text": "x" * 1001}, 422)],
)
async def test_what_cannot_be_explained_is_refused(staff: Staff, query: dict[str, str], status: int) -> None:
    async with staff.browser() as browser:
        assert (await browser.http.get(WHY, params=query, headers=TOKEN)).status_code in (status, 400)


async def test_strangers_learn_nothing_and_viewers_may_ask(staff: Staff) -> None:
    async with staff.browser() as stranger:
        assert (await stranger.http.get(WHY, params={"text": "Hi"})).status_code == 401
        assert (await stranger.get("/why")).status_code == 303
    async with staff.browser(VERA) as viewer:
        assert (await viewer.get("/why?text=Hi")).status_code == 200
        assert (await viewer.http.get(WHY, params={"text": "Hi"})).status_code == 200


async def test_explaining_leaves_no_trace(staff: Staff) -> None:
    talk, _, _ = answered(staff.database, QUESTION)
    with staff.database.session() as session:
        turn = session.query(Turn).filter_by(conversation_id=talk).one().id
    async with staff.browser() as browser:
        for query in ({"text": QUESTION}, {"turn": turn}, {"conversation": talk}):
            assert (await browser.http.get(WHY, params=query, headers=TOKEN)).status_code == 200
    with staff.database.session() as session:
        assert session.query(Turn).count() == 1


async def test_a_message_of_a_conversation_leads_to_its_reasons(staff: Staff) -> None:
    talk, _, entry = answered(staff.database, QUESTION)
    async with staff.browser(ANA) as browser:
        page = (await browser.get(f"/conversations/{talk}")).text
        link = page.partition('href="/console/why?')[2].partition('"')[0]
        page = words((await browser.get(f"/why?{link}")).text)
    assert "How it was answered" in page and WRONG in page
    assert f"Now: “{QUESTION}”" in page
    assert "these are the very words of a question" in page
    assert f"/console/entries/{entry}" in page
    assert "The entries that it was made of are as they were then." in page


async def test_the_page_shows_what_was_written_as_text(staff: Staff) -> None:
    add_entry(staff.database, "<b>Wrapped?</b>", "<script>alert(1)</script>")
    async with staff.browser(ANA) as browser:
        assert "Nothing is stored" in (await browser.get("/why")).text
        page = (await browser.get("/why?text=%3Cb%3EWrapped%3F%3C/b%3E")).text
        assert "<script>alert" not in page and "<b>Wrapped" not in page
        assert 'href="/console/why"' in (await browser.get("/entries")).text
