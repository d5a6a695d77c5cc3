"""The stop button's request: only the own conversation, and honest about whether anything is being written."""

from __future__ import annotations

STOP = "/api/chat/stop"


async def test_what_is_being_written_is_asked_to_stop(client, bearer, turns):
    (conversation_id,) = turns.conversations
    with turns.hub.stoppable(conversation_id) as asked:
        response = await client.post(STOP, headers=bearer)
        assert (response.status_code, response.json()) == (202, {"stopping": True})
        assert asked.is_set()


async def test_where_nothing_is_written_it_says_so(client, bearer):
    response = await client.post(STOP, headers=bearer)
    assert (response.status_code, response.json()) == (202, {"stopping": False})


async def test_strangers_stop_nothing(client, turns):
    response = await client.post(STOP, headers={"Authorization": "Bearer guess"})
    assert response.status_code == 401
    assert response.json()["error"]["message"]
    assert turns.stopped == []
