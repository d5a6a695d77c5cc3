"""Who may open a chat, and what a token is good for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from itsdangerous import URLSafeTimedSerializer

from connectors.web.tokens import SessionTokens
from core.errors import Unauthorised
from tests.connectors.conftest import CONFIG, OTHER_PAGE, PAGE, open_session

SESSIONS = "/api/chat/sessions"


async def test_a_page_on_the_list_opens_a_session(client, turns):
    response = await client.post(SESSIONS, json={})
    session = response.json()
    assert response.status_code == 201
    assert session["conversation_id"] in turns.conversations
    until = datetime.fromisoformat(session["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=29) < until < timedelta(days=31)
    assert response.headers["access-control-allow-origin"] == PAGE


async def test_our_own_page_needs_no_permission(client):
    response = await client.post(SESSIONS, headers={"Origin": "https://chat.example"})
    assert response.status_code == 201


@pytest.mark.parametrize("origin", [OTHER_PAGE, "null", "https://shop.example.evil.example", "http://[", ""])
async def test_other_pages_are_refused_with_a_sentence(client, turns, origin):
    response = await client.post(SESSIONS, headers={"Origin": origin})
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "origin_refused"
    assert "REJOINDER_ALLOWED_ORIGINS" in response.json()["error"]["message"]
    assert response.headers["access-control-allow-origin"] == origin
    assert not turns.conversations


async def test_a_session_needs_a_page(client):
    del client.headers["Origin"]
    response = await client.post(SESSIONS, json={})
    assert response.status_code == 403
    assert "Origin" in response.json()["error"]["message"]


async def test_a_stranger_cannot_use_a_stolen_token_from_its_page(client, bearer):
    response = await client.get("/api/chat/history", headers={**bearer, "Origin": OTHER_PAGE})
    assert response.status_code == 403


async def test_a_session_is_taken_up_again_and_prolonged(client):
    first = (await client.post(SESSIONS, json={})).json()
    again = await client.post(SESSIONS, json={"token": first["token"]})
    assert again.status_code == 200
    assert again.json()["conversation_id"] == first["conversation_id"]
    assert again.json()["expires_at"] >= first["expires_at"]


async def test_a_conversation_that_is_gone_is_not_taken_up(client, turns):
    token = (await client.post(SESSIONS, json={})).json()["token"]
    turns.conversations.clear()
    assert (await client.post(SESSIONS, json={"token": token})).status_code == 401


def _forged() -> str:
    serializer = URLSafeTimedSerializer("another secret", salt="rejoinder.web.session")
    return str(serializer.dumps({"t": "shop", "c": "c1-shop-web"}))


def _of_another_tenant() -> str:
    return SessionTokens(CONFIG.secret, "another", 60).issue("c1-shop-web").token


@pytest.mark.parametrize("make", [lambda: "x", lambda: "a.b.c", lambda: "ü", _forged, _of_another_tenant])
async def test_a_bad_token_opens_nothing(client, make):
    token = make()
    await open_session(client)
    asked = await client.get("/api/chat/history", headers={"Authorization": f"Bearer {token}".encode()})
    resumed = await client.post(SESSIONS, json={"token": token})
    for response in (asked, resumed):
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.json()["error"] == {"code": "unauthorised", "message": "This chat session is not valid."}


@pytest.mark.parametrize("header", ["", "Basic dXNlcjpwYXNz", "Bearer", "Bearer "])
async def test_without_a_token_nothing_is_told(client, header):
    assert (await client.get("/api/chat/history", headers={"Authorization": header})).status_code == 401


async def test_an_expired_token_says_so(make_client):
    async with make_client(session_seconds=-1) as client:
        bearer = await open_session(client)
        response = await client.get("/api/chat/history", headers=bearer)
    assert response.status_code == 401
    assert response.json()["error"]["message"] == "This chat session has expired."


def test_a_token_does_not_show_the_secret():
    tokens = SessionTokens("very secret", "shop", 60)
    assert "very secret" not in repr(tokens)
    with pytest.raises(Unauthorised):
        SessionTokens("another", "shop", 60).visitor(tokens.issue("c1").token)


async def test_a_browser_may_ask_first(client):
    response = await client.options("/api/chat/messages", headers={"Access-Control-Request-Method": "POST"})
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == PAGE
    assert "Last-Event-ID" in response.headers["access-control-allow-headers"]
    assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "stream"),
        ("GET", "history"),
        ("POST", "messages"),
        ("PUT", "messages/m1/feedback"),
        ("POST", "sessions"),
    ],
)
async def test_a_stranger_reads_nothing_but_the_refusal(client, bearer, method, path):
    response = await client.request(method, f"/api/chat/{path}", headers={**bearer, "Origin": OTHER_PAGE})
    assert response.status_code == 403
    assert set(response.json()) == {"error"}
