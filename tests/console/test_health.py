"""`/health` says alive; `/ready` names what is not."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from console import health
from core.db import Database
from core.jobs import heartbeat
from testing.fake_rasa import FakeRasa


async def get(checks: dict[str, health.Check], path: str) -> httpx.Response:
    app = FastAPI()
    app.include_router(health.router(checks))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        return await http.get(path)


async def test_alive_whatever_else_is_down() -> None:
    async def never() -> bool:
        raise OSError

    assert (await get({"rasa": never}, "/health")).json() == {"status": "alive"}


async def test_each_part_is_named(sqlite: Database, chroma_url: str) -> None:
    rasa = FakeRasa()
    rasa.away = True
    response = await get(health.make_health_checks(sqlite, rasa, chroma_url), "/ready")  # type: ignore[arg-type]
    assert response.status_code == 503
    assert response.json()["parts"] == {"rasa": False, "chroma": True, "database": True, "worker": False}


async def test_ready_when_all_are(sqlite: Database, chroma_url: str) -> None:
    with sqlite.session() as session:
        heartbeat.record_heartbeat(session, "worker")
    response = await get(health.make_health_checks(sqlite, FakeRasa(), chroma_url), "/ready")  # type: ignore[arg-type]
    assert (response.status_code, response.json()["ready"]) == (200, True)


async def test_a_part_that_hangs_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr(health, "SECONDS", 0.05)

    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    assert (await get({"rasa": hangs}, "/ready")).json()["parts"] == {"rasa": False}
