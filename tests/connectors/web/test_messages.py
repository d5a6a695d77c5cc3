"""Messages and ratings: what passes, what is refused, and with which words."""

from __future__ import annotations

import json

import pytest

from tests.connectors.conftest import open_session

MESSAGES = "/api/chat/messages"


async def test_a_message_is_stored_before_it_is_acknowledged(client, bearer, turns):
    response = await client.post(MESSAGES, headers=bearer, json={"client_id": "a1", "text": "Where is my parcel?"})
    assert response.status_code == 202
    ((stored,),) = turns.conversations.values()
    assert response.json() == {"message_id": stored.id, "turn_id": f"t-{stored.id}", "seq": 1, "new": True}


async def test_the_same_client_id_twice_is_one_message(client, bearer, turns):
    body = {"client_id": "a1", "text": "Where is my parcel?"}
    first = (await client.post(MESSAGES, headers=bearer, json=body)).json()
    second = (await client.post(MESSAGES, headers=bearer, json=body)).json()
    assert second == first | {"new": False}
    assert len(turns.received) == 1


@pytest.mark.parametrize(
    "text",
    [
        "😀🎉👨‍👩‍👧",
        "أين طلبي؟",
        "שלום Where is הזמנה 123?",
        "<img src=x onerror=alert(1)><script>alert(1)</script>",
        "/restart",
        '{"intent": "greet"}',
        "'; DROP TABLE messages; --",
        "a" * 4000,
        "tab\tand\nline",
    ],
)
async def test_whatever_customers_write_is_kept_as_they_wrote_it(client, bearer, turns, text):
    response = await client.post(MESSAGES, headers=bearer, json={"client_id": "a1", "text": text})
    assert response.status_code == 202, response.text
    history = (await client.get("/api/chat/history", headers=bearer)).json()["messages"]
    assert [message["text"] for message in history] == [text]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "The message is empty."),
        ("   \n\t ", "The message is empty."),
        ("\u0000\u0007\u200b", "The message is empty."),
        ("a" * 20_000, "The message is too long: 20000 characters, at most 4000."),
    ],
)
async def test_what_cannot_be_answered_is_refused_with_the_reason(client, bearer, turns, text, why):
    response = await client.post(MESSAGES, headers=bearer, json={"client_id": "a1", "text": text})
    assert response.status_code == 422
    assert response.json() == {"error": {"code": "invalid", "message": why}}
    assert not turns.received


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"client_id": "a", "text": "\\ud800"}',
        json.dumps({"text": "no id"}).encode(),
        json.dumps({"client_id": "", "text": "x"}).encode(),
        json.dumps({"client_id": "<b>", "text": "x"}).encode(),
        json.dumps({"client_id": "a" * 65, "text": "x"}).encode(),
        json.dumps({"client_id": "a"}).encode(),
        json.dumps({"client_id": "a", "text": 7}).encode(),
        json.dumps({"client_id": "a", "text": "x", "payload": "/restart"}).encode(),
        json.dumps({"client_id": "a", "text": "x", "press": {"message_id": "m", "index": 0}}).encode(),
        json.dumps({"client_id": "a", "press": {"message_id": "m", "index": -1}}).encode(),
    ],
)
async def test_bodies_that_are_no_message_are_refused(client, bearer, turns, body):
    response = await client.post(MESSAGES, headers=bearer, content=body)
    assert response.status_code == 422
    assert response.json()["error"]["message"]
    assert not turns.received


async def test_a_huge_body_is_not_read_to_its_end(client, bearer):
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 50_000_000:
            sent += 65_536
            yield b"x" * 65_536

    response = await client.post(MESSAGES, headers=bearer, content=endless())
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"
    assert sent < 1_000_000


async def test_a_flood_from_one_session_is_slowed_and_others_are_not(make_client, turns):
    async with make_client(messages_per_minute=5) as client:
        loud, calm = await open_session(client), await open_session(client)
        flood = [
            await client.post(MESSAGES, headers=loud, json={"client_id": f"a{n}", "text": "spam"}) for n in range(8)
        ]
        other = await client.post(MESSAGES, headers=calm, json={"client_id": "b", "text": "hello"})
    assert [response.status_code for response in flood] == [202] * 5 + [429] * 3
    assert 1 <= int(flood[-1].headers["retry-after"]) <= 60
    assert "Please wait" in flood[-1].json()["error"]["message"]
    assert flood[-1].headers["access-control-expose-headers"] == "Retry-After"
    assert other.status_code == 202
    assert len(turns.received) == 6


async def test_one_address_cannot_flood_with_many_sessions(make_client):
    async with make_client(requests_per_minute_per_address=4, sessions_per_minute_per_address=3) as client:
        sessions = [await open_session(client) for _ in range(3)]
        refused = await client.post("/api/chat/sessions", json={})
        asked = [await client.get("/api/chat/history", headers=bearer) for bearer in sessions * 2]
    assert refused.status_code == 429
    assert [response.status_code for response in asked] == [200] * 4 + [429] * 2


async def test_a_press_says_the_title_and_never_a_payload(client, bearer, turns):
    (conversation_id,) = turns.conversations
    offer = turns.say(conversation_id, "Which one?", buttons=("Refund", "Return"))
    press = {"client_id": "p1", "press": {"message_id": offer.id, "index": 1}}
    assert (await client.post(MESSAGES, headers=bearer, json=press)).status_code == 202
    assert turns.conversations[conversation_id][-1].text == "Return"
    assert turns.received[-1].text is None


async def test_a_button_of_another_conversation_cannot_be_pressed(client, bearer, turns):
    (mine,) = turns.conversations
    offer = turns.say(mine, "Which one?", buttons=("Refund",))
    stranger = await open_session(client)
    press = {"client_id": "p1", "press": {"message_id": offer.id, "index": 0}}
    response = await client.post(MESSAGES, headers=stranger, json=press)
    assert response.status_code == 404
    assert response.json()["error"] == {"code": "not_found", "message": "There is no such button."}


async def test_a_thumb_can_be_given_changed_and_explained(client, bearer, turns):
    (conversation_id,) = turns.conversations
    answer = turns.answer(conversation_id, "t1", "Within 30 days.")
    url = f"{MESSAGES}/{answer.id}/feedback"
    assert (await client.put(url, headers=bearer, json={"helpful": True})).status_code == 204
    assert (await client.put(url, headers=bearer, json={"helpful": False, "comment": "Too short"})).status_code == 204
    assert turns.ratings == [(answer.id, True, None), (answer.id, False, "Too short")]
    history = (await client.get("/api/chat/history", headers=bearer)).json()["messages"]
    assert history[0]["helpful"] is False


async def test_a_thumb_on_someone_elses_answer_is_refused(client, bearer, turns):
    (mine,) = turns.conversations
    answer = turns.answer(mine, "t1", "Within 30 days.")
    stranger = await open_session(client)
    response = await client.put(f"{MESSAGES}/{answer.id}/feedback", headers=stranger, json={"helpful": False})
    assert response.status_code == 404
    assert not turns.ratings


@pytest.mark.parametrize("body", [{}, {"helpful": "yes"}, {"helpful": True, "comment": "a" * 1001}])
async def test_a_thumb_that_is_none_is_refused(client, bearer, turns, body):
    (conversation_id,) = turns.conversations
    answer = turns.answer(conversation_id, "t1", "Within 30 days.")
    response = await client.put(f"{MESSAGES}/{answer.id}/feedback", headers=bearer, json=body)
    assert response.status_code == 422


async def test_a_failure_of_ours_is_a_sentence_without_the_cause(client, bearer, turns):
    turns.failing = True
    response = await client.post(MESSAGES, headers=bearer, json={"client_id": "a", "text": "hello"})
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal"
    assert "disk" not in response.text
    assert response.headers["access-control-allow-origin"]


async def test_history_goes_on_after_a_number(client, bearer, turns):
    (conversation_id,) = turns.conversations
    for text in ("one", "two", "three"):
        turns.say(conversation_id, text)
    later = await client.get("/api/chat/history?after=1", headers=bearer)
    assert [message["text"] for message in later.json()["messages"]] == ["two", "three"]
    assert (await client.get("/api/chat/history?after=-1", headers=bearer)).status_code == 422
