"""The command line has a message looked up as ``app`` does; nobody else may."""

from __future__ import annotations

import httpx
from fastapi import FastAPI

from actions.lookup_route import router
from core.conversations.knowledge_lookup import PATH, Asked, KnowledgeMatch
from evaluation.replay import Door, Probe
from knowledge.types import Utterance

PROBE = Probe("p1", "/until when?", (Utterance("customer", "Can I return it?"), Utterance("bot", "Yes.")))


class Knowing:
    """Knows everything about ties."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def match(self, asked: Asked) -> KnowledgeMatch | None:
        self.asked.append(asked)
        return KnowledgeMatch("sure", 0.8) if asked.tenant_id == "ties" else None


def transport(knowing: Knowing) -> httpx.ASGITransport:
    app = FastAPI()
    app.include_router(router(knowing, "s"))
    return httpx.ASGITransport(app=app)


async def test_a_probe_is_looked_up_with_its_history() -> None:
    knowing = Knowing()
    door = Door("http://app", "s", transport(knowing))
    assert await door.metadata("ties", "c1", "t1", PROBE) == {"knowledge": {"level": "sure", "confidence": 0.8}}
    assert knowing.asked == [
        Asked("ties", "c1", "t1", "until when?", (("customer", "Can I return it?"), ("bot", "Yes.")))
    ]
    assert await door.metadata("hats", "c1", "t1", PROBE) == {}


async def test_who_does_not_know_the_secret_is_refused() -> None:
    body = {"tenant_id": "ties", "conversation_id": "c", "turn_id": "t", "text": "x"}
    async with httpx.AsyncClient(transport=transport(Knowing()), base_url="http://app") as http:
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            assert (await http.post(PATH, json=body, headers=headers)).status_code == 401
