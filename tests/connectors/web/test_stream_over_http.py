"""The event stream as a real server sends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest

from testing.waiting import eventually
from tests.browser.server import WIDE_LIMITS, ChatServer


@pytest.fixture
def server() -> Iterator[ChatServer]:
    server = ChatServer(config=replace(WIDE_LIMITS, heartbeat_seconds=0.05))
    server.start()
    yield server
    server.stop()


def _bearer(server: ChatServer) -> dict[str, str]:
    opened = httpx.post(f"{server.url}/api/chat/sessions", headers={"Origin": server.url})
    return {"Authorization": f"Bearer {opened.json()['token']}"}


def _until(lines: Iterator[str], wanted: str) -> list[str]:
    seen = []
    for line in lines:
        seen.append(line)
        if line.startswith(wanted):
            return seen
    raise AssertionError(f"{wanted} never came: {seen}")


def test_events_have_numbers_and_the_line_is_kept_alive(server):
    bearer = _bearer(server)
    with httpx.stream("GET", f"{server.url}/api/chat/stream", headers=bearer, timeout=5) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        lines = response.iter_lines()
        _until(lines, ": open")
        server.do(server.turns.say, server.conversation_id, "first\nline")
        _until(lines, "id: 1")
        _until(lines, "event: message")
        assert '"text": "first\\nline"' in _until(lines, "data:")[-1]
        _until(lines, ": ping")


def test_a_stream_goes_on_where_it_broke(server):
    bearer = _bearer(server)
    for text in ("one", "two", "three"):
        server.do(server.turns.say, server.conversation_id, text)
    headers = {**bearer, "Last-Event-ID": "2"}
    with httpx.stream("GET", f"{server.url}/api/chat/stream", headers=headers, timeout=5) as response:
        assert '"three"' in _until(response.iter_lines(), "data:")[-1]


def test_who_leaves_is_no_longer_watching(server):
    with httpx.stream("GET", f"{server.url}/api/chat/stream", headers=_bearer(server), timeout=5) as response:
        lines = response.iter_lines()
        _until(lines, ": open")
        assert server.turns.hub.watched(server.conversation_id)
    eventually(lambda: not server.turns.hub.watched(server.conversation_id))


def test_a_stopped_server_ends_its_streams(server):
    with httpx.stream("GET", f"{server.url}/api/chat/stream", headers=_bearer(server), timeout=5) as response:
        lines = response.iter_lines()
        _until(lines, ": open")
        server.stop()
        with suppress(httpx.RemoteProtocolError):
            list(lines)  # ends; a stream left hanging would time out
    server.start()
