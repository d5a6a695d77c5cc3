"""Staff see who waits, and answer, through `/v1/bot/handoffs`; each by their role."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from console.api.handoffs import router
from console.auth import sessions, users
from console.auth.gate import COOKIE, CSRF_HEADER, Gate
from core.db import Database
from tests.console.staff import TOKEN, password_hash
from tests.core.handoffs.test_stepping_back import ASKED, Talk


@pytest.fixture
def talk(database: Database) -> Talk:
    return Talk(database)


@pytest.fixture
async def client(talk: Talk) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(router(Gate(talk.database, "shop", "let me in"), talk.service))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
        yield http


def signed_in(database: Database, role: str) -> dict[str, str]:
    with database.session() as session:
        user = users.add_user(session, "shop", f"{role}@example.com", role, password_hash(), "test")
        cookie, _ = sessions.open_session(session, user)
        person = sessions.find_person(session, "shop", cookie)
    assert person
    return {"Cookie": f"{COOKIE}={cookie}", CSRF_HEADER: person.csrf}


async def asked(talk: Talk, client: httpx.AsyncClient) -> str:
    await talk.say("Where is my lamp?")
    await talk.say("A person please", *ASKED)
    page = (await client.get("/v1/bot/handoffs", headers=TOKEN)).json()
    assert page["total"] == 1
    return str(page["items"][0]["id"])


async def test_a_request_is_taken_answered_and_closed(talk: Talk, client: httpx.AsyncClient) -> None:
    path = f"/v1/bot/handoffs/{await asked(talk, client)}"
    claimed = (await client.post(f"{path}/claim", headers=TOKEN)).json()
    assert (claimed["state"], claimed["claimed_by"], claimed["trigger"]) == ("claimed", "api", "asked")
    key = TOKEN | {"Idempotency-Key": "r1"}
    said = [await client.post(f"{path}/replies", json={"text": "In Leeds."}, headers=key) for _ in range(2)]
    assert [response.status_code for response in said] == [201, 201]
    assert said[0].json() == said[1].json()
    await client.post(f"{path}/notes", json={"text": "Called the courier."}, headers=TOKEN)
    closed = await client.post(f"{path}/closure", json={"resolved": True}, headers=TOKEN | {"Idempotency-Key": "c1"})
    assert (closed.json()["state"], closed.json()["resolved"]) == ("closed", True)
    repeated = await client.post(f"{path}/closure", json={"resolved": True}, headers=TOKEN | {"Idempotency-Key": "c1"})
    assert repeated.json() == closed.json()

    shown = (await client.get(path, headers=TOKEN)).json()
    assert [(m["speaker"], m["author"]) for m in shown["messages"]][-1] == ("agent", "api")
    assert [t["event"] for t in shown["transitions"]] == ["request", "claim", "reply", "close"]
    assert [note["text"] for note in shown["notes"]] == ["Called the courier."]
    late = await client.post(f"{path}/replies", json={"text": "Too late"}, headers=TOKEN)
    assert (late.status_code, late.json()["error"]["message"]) == (409, "This handoff is over: closed.")
    assert (await client.get("/v1/bot/handoffs", headers=TOKEN)).json()["total"] == 0
    assert (await client.get("/v1/bot/handoffs?state=closed", headers=TOKEN)).json()["total"] == 1


async def test_staff_step_in_and_give_back(talk: Talk, client: httpx.AsyncClient) -> None:
    await talk.say("Hi")
    taken = (await client.post(f"/v1/bot/conversations/{talk.conversation_id}/takeover", headers=TOKEN)).json()
    assert (taken["state"], taken["trigger"]) == ("claimed", "taken_over")
    back = await client.post(f"/v1/bot/handoffs/{taken['id']}/return", headers=TOKEN)
    assert back.json()["state"] == "returned"
    assert await talk.say("Hi") == ["Hello!"]


async def test_each_role_may_what_it_may(talk: Talk, client: httpx.AsyncClient) -> None:
    path = f"/v1/bot/handoffs/{await asked(talk, client)}"
    viewer, reviewer = (signed_in(talk.database, role) for role in ("viewer", "reviewer"))
    assert (await client.get(path)).status_code == 401
    assert (await client.get(path, headers=viewer)).status_code == 200
    assert (await client.post(f"{path}/claim", headers=viewer)).status_code == 403
    claimed = await client.post(f"{path}/claim", headers=reviewer)
    assert claimed.json()["claimed_by"] == "reviewer@example.com"
    change = {"unknown": 3}
    assert (await client.patch("/v1/bot/handoff-settings", json=change, headers=reviewer)).status_code == 403
    assert (await client.patch("/v1/bot/handoff-settings", json=change, headers=TOKEN)).json()["unknown"] == 3


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/handoffs/nothing", None, 404),
        ("POST", "/handoffs/nothing/claim", None, 404),
        ("POST", "/conversations/nothing/takeover", None, 404),
        ("GET", "/handoffs?state=sleeping", None, 422),
        ("POST", "/handoffs/ID/replies", {"text": ""}, 422),
        ("POST", "/handoffs/ID/replies", {"text": "x" * 4001}, 422),
        ("POST", "/handoffs/ID/replies", {"text": "  "}, 422),
        ("POST", "/handoffs/ID/closure", {"resolved": "maybe"}, 422),
        ("PATCH", "/handoff-settings", {"timezone": "Mars"}, 422),
        ("PATCH", "/handoff-settings", {"nothing": 1}, 422),
    ],
)
async def test_wrong_requests_get_a_sentence(  # noqa: PLR0917
    talk, client, method, path, body, status
) -> None:
    handoff_id = await asked(talk, client)
    response = await client.request(method, f"/v1/bot{path.replace('ID', handoff_id)}", json=body, headers=TOKEN)
    assert response.status_code == status, response.text
    assert response.json()["error"]["message"]
