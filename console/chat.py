"""Command-line customer: a client of a running instance's web channel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

import httpx

from core.errors import InvalidInput, Unavailable

Shown = dict[str, Any]
"""A message as the web channel renders it."""


@dataclass(frozen=True)
class Chat:
    http: httpx.Client
    token: str
    conversation_id: str

    @classmethod
    def open(cls, http: httpx.Client) -> Self:
        """Open a conversation.

        Raises:
            Unavailable: no instance is running at that address.
        """
        origin = str(http.base_url).rstrip("/")
        try:
            response = http.post("/api/chat/sessions", headers={"Origin": origin}, json={})
        except httpx.ConnectError:
            raise Unavailable(f"No running instance at {origin}: start it with `make run`.") from None
        opened = _parse_response(response)
        return cls(http, opened["token"], opened["conversation_id"])

    def ask(self, text: str) -> list[Shown]:
        """Send a message and return the whole answer; empty while an agent owns the conversation."""
        with self._stream_events() as events:  # opened before sending, to miss nothing
            sent = self.say(text)
            for name, told in events:
                if name in {"message", "ended"} and told.get("turn_id") == sent["turn_id"]:
                    break
        # a turn's messages are stored at once, so all of them are there now
        return [message for message in self.history(sent["seq"]) if message["turn_id"] == sent["turn_id"]]

    def say(self, text: str) -> dict[str, Any]:
        """Send a message and return the ids and number of the stored one."""
        body = {"client_id": uuid4().hex, "text": text}
        return _parse_response(self.http.post("/api/chat/messages", json=body, headers=self._build_headers()))

    def history(self, after: int = 0) -> list[Shown]:
        """Return all messages after a message number."""
        params = {"after": after}
        found = _parse_response(self.http.get("/api/chat/history", headers=self._build_headers(), params=params))
        messages: list[Shown] = found["messages"]
        return messages

    @contextmanager
    def _stream_events(self) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
        """Yield the name and data of each event from now on."""
        with self.http.stream("GET", "/api/chat/stream", headers=self._build_headers()) as stream:
            lines = stream.iter_lines()
            next(lines)  # a comment: the stream is open
            yield _parse_events(lines)

    def _build_headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def _parse_events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            yield name, json.loads(line[5:])


def _parse_response(response: httpx.Response) -> dict[str, Any]:
    content: dict[str, Any] = response.json()
    if response.is_error:
        raise InvalidInput(content["error"]["message"])
    return content
