"""What the inbox has, through `/v1/bot`: presence, suggestions, ready texts, conversations, customers, events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from console.auth import sessions, users
from console.auth.gate import COOKIE, CSRF_HEADER
from core.db import Database
from core.db.models import Conversation, Customer, Handoff, User
from tests.console.inbox_world import ANSWERED, InboxWorld
from tests.console.staff import AMY, TOKEN, VERA
from tests.knowledge.review.doubles import T


@pytest.fixture
def world(sqlite: Database) -> InboxWorld:
    return InboxWorld(sqlite)


@pytest.fixture
async def api(world: InboxWorld) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(world.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop/v1/bot", headers=TOKEN) as http:
        yield http


def signed_in(database: Database, email: str) -> dict[str, str]:
    with database.session() as session:
        user: User = users.get_user(session, T, email)
        cookie, _ = sessions.open_session(session, user)
        person = sessions.find_person(session, T, cookie)
    assert person
    return {"Cookie": f"{COOKIE}={cookie}", CSRF_HEADER: person.csrf}


async def test_who_is_there_and_what_could_be_answered(world: InboxWorld, api: httpx.AsyncClient) -> None:
    conversation, handoff = await world.asked()
    with world.hub.watch(conversation) as customer:
        here = await api.put(f"/handoffs/{handoff}/presence", json={"typing": True})
        assert here.json() == [{"email": "api", "name": "API token", "typing": True}]
        assert type(customer.get_nowait()).__name__ == "AgentTyping"
    found = await api.get(f"/handoffs/{handoff}/suggestions")
    assert found.json() == [{"answer": "Most orders arrive within 3 days.", "title": "Delivery times", "url": "https://shop.example/delivery"}]  # fmt: skip


async def test_a_second_claim_says_who_was_first(world: InboxWorld, api: httpx.AsyncClient) -> None:
    _, handoff = await world.asked()
    await world.handoffs.claim(T, handoff, AMY)
    for path, body in (("claim", None), ("replies", {"text": "Hello"})):
        late = await api.post(f"/handoffs/{handoff}/{path}?held_by=", json=body)
        assert (late.status_code, late.json()["error"]["message"]) == (409, f"{AMY} took this meanwhile.")
    assert (await api.post(f"/handoffs/{handoff}/claim?held_by={AMY}")).json()["claimed_by"] == "api"


async def test_notes_with_the_same_key_are_one(world: InboxWorld, api: httpx.AsyncClient) -> None:
    _, handoff = await world.asked()
    for _ in range(2):
        key = {"Idempotency-Key": "n1"}
        assert (await api.post(f"/handoffs/{handoff}/notes", json={"text": "A note"}, headers=key)).status_code == 204
    assert [each["text"] for each in (await api.get(f"/handoffs/{handoff}")).json()["notes"]] == ["A note"]


async def test_ready_texts(api: httpx.AsyncClient) -> None:
    made = await api.post("/canned-replies", json={"name": "Greeting", "text": "Hello {name}"})
    assert (made.status_code, made.json()["updated_by"]) == (201, "api")
    assert (await api.post("/canned-replies", json={"name": "Greeting", "text": "x"})).status_code == 409
    assert (await api.post("/canned-replies", json={"name": "x" * 81, "text": "x"})).status_code == 422
    path = f"/canned-replies/{made.json()['id']}"
    assert (await api.put(path, json={"name": "Hello", "text": "Hi"})).json()["name"] == "Hello"
    assert [each["text"] for each in (await api.get("/canned-replies")).json()] == ["Hi"]
    assert (await api.delete(path)).status_code == 204
    assert (await api.delete(path)).status_code == 404


async def test_conversations_are_found_page_by_page(world: InboxWorld, api: httpx.AsyncClient) -> None:
    conversation, _ = await world.asked()
    others = [await world.say(f"Question {n}", *ANSWERED, customer=f"c{n}") for n in range(3)]
    first = (await api.get("/conversations?limit=3")).json()
    assert [each["id"] for each in first["items"]] == others[::-1] and first["total"] == 4
    rest = (await api.get("/conversations", params={"limit": 3, "after": first["following"]})).json()
    assert [each["id"] for each in rest["items"]] == [conversation] and rest["following"] is None
    (found,) = (await api.get("/conversations?handoff=open&text=lamp")).json()["items"]
    assert (found["id"], found["customer_name"], found["handoff"], found["outcome"]) == (
        conversation, "Ada Lovelace", "requested", "handoff",
    )  # fmt: skip
    assert (await api.get("/conversations?outcome=lost")).status_code == 422
    assert (await api.get("/conversations?after=nowhere")).status_code == 422
    assert (await api.get("/conversations?from=2026-02-02&to=2026-02-01")).status_code == 422


async def test_a_customer_is_read_and_changed(world: InboxWorld, api: httpx.AsyncClient) -> None:
    await world.asked()
    changed = await api.patch("/customers/ada", json={"vip": True, "language": "ur"})
    assert (changed.json()["vip"], changed.json()["language"], changed.json()["name"]) == (True, "ur", "Ada Lovelace")
    assert changed.json()["conversations"][0]["handoff"] == "requested"
    assert (await api.patch("/customers/ada", json={"email": "x"})).status_code == 422
    assert (await api.get("/customers/nobody")).status_code == 404


async def test_each_role_may_what_it_may(world: InboxWorld, api: httpx.AsyncClient) -> None:
    _, handoff = await world.asked()
    api.headers.pop("Authorization")
    doings: tuple[tuple[str, str, Any], ...] = (
        ("PUT", f"/handoffs/{handoff}/presence", {"typing": False}),
        ("POST", "/canned-replies", {"name": "x", "text": "x"}),
        ("PATCH", "/customers/ada", {"vip": True}),
        ("POST", f"/handoffs/{handoff}/claim", None),
    )
    for method, path, body in doings:
        assert (await api.request(method, path, json=body)).status_code == 401, path
        viewer, agent = signed_in(world.database, VERA), signed_in(world.database, AMY)
        assert (await api.request(method, path, json=body, headers=viewer)).status_code == 403, path
        forged = {**agent, CSRF_HEADER: "no"}
        assert (await api.request(method, path, json=body, headers=forged)).status_code == 403, path
        assert (await api.request(method, path, json=body, headers=agent)).status_code < 300, path
    assert (await api.get("/inbox/stream")).status_code == 401


async def test_another_tenants_is_not_there(world: InboxWorld, api: httpx.AsyncClient) -> None:
    conversation, handoff = await world.asked()
    with world.database.session() as session:
        for table in (Conversation, Handoff, Customer):
            for row in session.scalars(select(table)):
                row.tenant_id = "other"
    for path in (f"/handoffs/{handoff}", f"/handoffs/{handoff}/suggestions", f"/inbox/stream?conversation_id={conversation}", "/customers/ada"):  # fmt: skip
        assert (await api.get(path)).status_code == 404, path
    assert (await api.patch("/customers/ada", json={"vip": True})).status_code == 404
    assert (await api.put(f"/handoffs/{handoff}/presence", json={})).status_code == 404
    assert (await api.get("/conversations")).json()["items"] == []


async def test_every_route_is_described(world: InboxWorld) -> None:
    paths = world.app.openapi()["paths"]
    inbox = {path: ways for path, ways in paths.items() if path.startswith("/v1/bot")}
    assert {"/v1/bot/inbox/stream", "/v1/bot/canned-replies", "/v1/bot/conversations", "/v1/bot/customers/{customer_id}"} <= set(inbox)  # fmt: skip
    assert all(way["description"] for ways in inbox.values() for way in ways.values())
