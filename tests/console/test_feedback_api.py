"""Feedback over REST: customers with a signed token give it, staff read it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from core.db import Database
from core.db.models import get_current_time
from core.feedback import settlement
from tests.console.feedback_app import PAGE, client_of, session_of
from tests.core.feedback.talk import talk

SUBMIT, LIST, FIGURES = "/v1/bot/feedback/submit/", "/v1/bot/feedback/", "/v1/bot/feedback/analytics/"


@dataclass
class Answer:
    conversation_id: str
    message_id: str


@pytest.fixture
def answers(sqlite: Database) -> list[Answer]:
    """Two conversations of today with one answer each."""
    with sqlite.session() as session:
        found = []
        for question in ("How long is delivery?", "Do you sell lamps?"):
            chat = talk(session, tenant="default")
            chat.at = get_current_time() - timedelta(minutes=40)
            turn = chat.asks(question)
            found.append(Answer(chat.conversation.id, chat.answer_of(turn).id))
        return found


@pytest.fixture
async def api(sqlite: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(sqlite) as api:
        yield api


async def items(api: httpx.AsyncClient, query: str = "") -> list[dict]:
    response = await api.get(LIST + query)
    assert response.status_code == 200, response.text
    return response.json()["items"]


async def test_a_link_from_an_email_gives_a_thumb_and_changes_it(api: httpx.AsyncClient, answers: list[Answer]) -> None:
    issued = await api.post(LIST + "links/", json={"message_id": answers[0].message_id})
    assert issued.status_code == 201
    token = issued.json()["token"]
    del api.headers["Authorization"]
    for helpful, comment in [(True, None), (False, "Too vague.")]:
        body = {"token": token, "helpful": helpful, "comment": comment}
        given = await api.post(SUBMIT, json=body)
        assert (given.status_code, given.json()["helpful"]) == (200, helpful)
    api.headers["Authorization"] = "Bearer let me in"
    (item,) = await items(api)
    assert (item["helpful"], item["comment"], item["source"]) == (False, "Too vague.", "link")
    assert (item["question"], item["answer"]) == ("How long is delivery?", "It is so.")


async def test_a_browser_may_rate_the_answers_of_its_own_conversation_only(
    api: httpx.AsyncClient, answers: list[Answer]
) -> None:
    mine, other = answers
    body = {"message_id": mine.message_id, "helpful": True}
    given = await api.post(SUBMIT, json=body, headers=session_of(mine.conversation_id))
    assert given.status_code == 200
    assert given.headers["access-control-allow-origin"] == PAGE
    refused = await api.post(SUBMIT, json=body, headers=session_of(other.conversation_id))
    assert refused.status_code == 404
    assert len(await items(api)) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"token": "forged", "helpful": True}, 401),
        ({"token": "a.b.c", "helpful": True}, 401),
        ({"message_id": "m", "helpful": True}, 401),
        ({"helpful": True}, 422),
        ({"token": "x", "message_id": "m", "helpful": True}, 422),
        ({"token": "x", "helpful": "yes"}, 422),
        ({"token": "x", "helpful": True, "comment": "a" * 1001}, 422),
    ],
)
async def test_what_is_not_signed_or_no_thumb_is_refused(
    api: httpx.AsyncClient, answers: list[Answer], body: dict, status: int
) -> None:
    response = await api.post(SUBMIT, json=body, headers={"Authorization": "Bearer nonsense"})
    assert response.status_code == status
    assert response.json()["error"]["message"]
    assert await items(api) == []


async def test_a_strange_page_may_not_submit(api: httpx.AsyncClient) -> None:
    response = await api.post(SUBMIT, json={}, headers={"Origin": "https://evil.example"})
    assert response.status_code == 403
    assert (await api.options(SUBMIT, headers={"Origin": PAGE})).status_code == 204


async def test_staff_read_pages_and_figures(api: httpx.AsyncClient, sqlite: Database, answers: list[Answer]) -> None:
    with sqlite.session() as session:
        settlement.settle_answers(session, get_current_time())
    body = {"message_id": answers[0].message_id, "helpful": True}
    await api.post(SUBMIT, json=body, headers=session_of(answers[0].conversation_id))
    page = (await api.get(LIST + "?limit=1&offset=1")).json()
    assert (page["total"], page["limit"], page["offset"], len(page["items"])) == (2, 1, 1, 1)
    assert [item["helpful"] for item in await items(api, "?helpful=true")] == [True]
    assert await items(api, "?to=2020-01-01") == []
    figures = (await api.get(FIGURES + "?by=channel")).json()
    assert (figures["total"]["answers"], figures["total"]["helpful_rate"]) == (2, 1.0)
    assert figures["groups"][0]["name"] == "web"
    assert figures["surveys"]["csat"]["asked"] == 0
    assert (await api.get(FIGURES + "?tenant=other")).json()["total"]["answers"] == 0


@pytest.mark.parametrize(
    "query", ["?limit=0", "?limit=1000", "?offset=-1", "?from=today", "?from=2026-02-02&to=2026-01-01"]
)
async def test_a_wrong_query_is_refused_with_a_sentence(api: httpx.AsyncClient, query: str) -> None:
    for path in (LIST, FIGURES if "from" in query else LIST):
        response = await api.get(path + query)
        assert response.status_code == 422
        assert response.json()["error"]["message"]


async def test_reading_needs_the_staff_token_and_all_of_it_is_documented(api: httpx.AsyncClient) -> None:
    paths = (await api.get("/openapi.json")).json()["paths"]
    assert {SUBMIT, LIST, FIGURES, "/v1/bot/corrections/", "/v1/bot/corrections/approved/"} <= set(paths)
    assert "helpful" in str(paths[SUBMIT]["post"]["requestBody"])
    del api.headers["Authorization"]
    for path in (LIST, FIGURES):
        assert (await api.get(path)).status_code == 401
