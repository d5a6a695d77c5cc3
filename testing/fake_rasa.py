"""A Rasa that is told what to answer."""

from __future__ import annotations

from collections import deque
from typing import Any

from core.errors import RasaUnavailable
from core.rasa import RasaItem

GREETING: list[RasaItem] = [{"recipient_id": "x", "text": "Hello!"}]


class FakeRasa:
    """Answers from a queue, then greets; remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.channels: list[str] = []
        self.told: list[dict[str, Any]] = []
        self.answers: deque[list[RasaItem] | Exception] = deque()
        self.away = False
        self.tracker: dict[str, list[RasaItem]] = {}
        self.recorded: list[tuple[str, str]] = []
        self.understood = "greet"

    async def say(self, conversation_id: str, text: str, channel: str, metadata: dict[str, Any]) -> list[RasaItem]:
        if self.away:
            raise RasaUnavailable
        self.heard.append(text)
        self.channels.append(channel)
        self.told.append(metadata)
        answer = self.answers.popleft() if self.answers else GREETING
        if isinstance(answer, Exception):
            raise answer
        self.tracker[metadata["turn_id"]] = answer
        return answer

    press = say

    async def answer_to(self, conversation_id: str, turn_id: str) -> list[RasaItem]:
        if self.away:
            raise RasaUnavailable
        return self.tracker.get(turn_id, [])

    async def record(self, conversation_id: str, said: list[tuple[str, str]]) -> None:
        if self.away:
            raise RasaUnavailable
        self.recorded += said

    async def latest_message(self, conversation_id: str) -> dict[str, Any]:
        return {"intent": {"name": self.understood, "confidence": 0.97}, "nlu_ms": 4.0}

    async def ready(self) -> bool:
        return not self.away
