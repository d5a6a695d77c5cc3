"""Corrections over REST, with a real index behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from console.auth import sessions, users
from console.auth.gate import COOKIE, CSRF_HEADER
from core.db import Database
from core.db.upgrade import upgrade_database
from core.settings import Settings
from knowledge.curation.corrections.service import Corrections
from knowledge.entries import editor as entries
from knowledge.entries.content import Content
from knowledge.entries.editor import Change, EntryEditor
from knowledge.services import Knowledge
from tests.console.feedback_app import client_of

PATH = "/v1/bot/corrections/"
QUESTION, WRONG, RIGHT = "How much is delivery?", "Delivery costs 9 euros.", "Delivery costs 5 euros."


@dataclass
class Api:
    http: httpx.AsyncClient
    entry: str

    async def post(self, path: str, body: dict, status: int = 200) -> dict:
        response = await self.http.post(PATH + path, json=body)
        assert response.status_code == status, response.text
        return response.json()

    async def propose(self, **fields: object) -> dict:
        body = {"question": QUESTION, "bot_answer": WRONG, "answer": RIGHT, "category": "outdated", "author": "ann"}
        return await self.post("", {**body, "entry_id": self.entry, "entry_action": "amend", **fields}, 201)


@pytest.fixture
async def api(settings: Settings, sqlite: Database, chroma_url: str) -> AsyncIterator[Api]:
    upgrade_database(sqlite)
    with sqlite.session() as session:
        editor = EntryEditor(session, "default", Change("test", "test"))
        entry = editor.add(Content("faq", WRONG, (QUESTION,)), approved=True).id
    corrections: Corrections = Knowledge(settings.model_copy(update={"chroma_url": chroma_url}), sqlite).corrections
    async with client_of(sqlite, corrections) as http:
        yield Api(http, entry)
    corrections.close()


async def test_proposed_approved_and_undone(api: Api, sqlite: Database) -> None:
    proposed = await api.propose(quality=1, reason="Cheaper since May.")
    assert (proposed["status"], proposed["live"], proposed["author"]) == ("proposed", None, "ann")
    approved = await api.post(f"{proposed['id']}/approve/", {"by": "bob"})
    assert (approved["status"], approved["decided_by"], approved["live"]) == ("approved", "bob", True)
    assert approved["effects"]["served"] == {"new": 1}
    listed = (await api.http.get(PATH + "approved/")).json()
    assert (listed["total"], listed["items"][0]["id"]) == (1, proposed["id"])
    undone = await api.post(f"{proposed['id']}/undo/", {"by": "bob"})
    assert undone["effects"]["served"] == {"old": 1}
    assert (await api.http.get(PATH + "approved/")).json()["total"] == 0
    assert (await api.http.get(PATH + "?status=undone&category=outdated&author=ann")).json()["total"] == 1
    assert (await api.http.get(PATH + f"{proposed['id']}/")).json()["status"] == "undone"
    with sqlite.session() as session:
        assert entries.get_entry(session, "default", api.entry).answer == WRONG


async def test_a_decision_that_comes_late_is_a_conflict(api: Api) -> None:
    proposed = await api.propose()
    await api.post(f"{proposed['id']}/reject/", {"by": "bob", "reason": "It is 9."})
    refused = await api.post(f"{proposed['id']}/approve/", {"by": "cleo"}, 409)
    assert refused["error"]["code"] == "conflict"
    assert "rejected by bob" in refused["error"]["message"]


async def test_who_is_signed_in_decides_in_their_own_name(api: Api, sqlite: Database) -> None:
    proposed = await api.propose()
    sessions_of = {}
    with sqlite.session() as session:
        for role in ("viewer", "reviewer"):
            user = users.add_user(session, "default", f"{role}@shop.example", role, "no password", "test")
            token, _ = sessions.open_session(session, user)
            session.flush()
            person = sessions.find_person(session, "default", token)
            sessions_of[role] = {"cookie": f"{COOKIE}={token}", CSRF_HEADER: person.csrf if person else ""}
    path = f"{PATH}{proposed['id']}/approve/"
    del api.http.headers["authorization"]
    body = {"question": "Why?", "answer": "So.", "category": "tone"}
    for refused in (path, PATH):
        assert (await api.http.post(refused, json=body, headers=sessions_of["viewer"])).status_code == 403
    without_token = await api.http.post(path, json={}, headers={"cookie": sessions_of["reviewer"]["cookie"]})
    assert without_token.status_code == 403
    approved = await api.http.post(path, json={"by": "somebody else"}, headers=sessions_of["reviewer"])
    assert approved.json()["decided_by"] == "reviewer@shop.example"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"question": "Why?", "answer": "So.", "category": "colour"}, 422),
        ({"question": "Why?", "answer": "So.", "category": "tone", "quality": 9}, 422),
        ({"question": "Why?", "answer": "So.", "category": "tone", "colour": 1}, 422),
        ({"answer": "So.", "category": "tone"}, 422),
        ({"turn_id": "none", "answer": "So.", "category": "tone"}, 404),
        ({"question": "Why?", "answer": "So.", "category": "tone", "entry_id": "none"}, 404),
    ],
)
async def test_what_cannot_be_proposed_is_refused(api: Api, body: dict, status: int) -> None:
    assert (await api.post("", body, status))["error"]["message"]
    assert (await api.http.get(PATH)).json()["total"] == 0


async def test_what_is_not_there(api: Api) -> None:
    for step in ("approve", "reject", "undo", "check"):
        await api.post(f"none/{step}/", {}, 404)
    del api.http.headers["Authorization"]
    assert (await api.http.get(PATH)).status_code == 401
