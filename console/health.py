"""``/health``: the process is alive. ``/ready``: all required parts answer, listed by name, with the optional ones beside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
from fastapi import APIRouter, Response
from sqlalchemy import text

from actions.servers import ActionServer, ActionServers
from core.db import Database
from core.jobs import heartbeat
from core.rasa import Rasa

Check = Callable[[], Awaitable[bool]]
SECONDS = 3.0


def make_health_checks(database: Database, rasa: Rasa, chroma_url: str) -> dict[str, Check]:
    """Make the checks that must pass before a customer can be served."""

    async def database_answers() -> bool:
        return await database.run(lambda session: session.execute(text("SELECT 1")).scalar() == 1)

    async def chroma_answers() -> bool:
        async with httpx.AsyncClient() as http:
            return (await http.get(f"{chroma_url}/api/v2/heartbeat")).is_success

    async def worker_beats() -> bool:
        return await database.run(lambda session: heartbeat.is_process_alive(session, "worker"))

    return {"rasa": rasa.ready, "chroma": chroma_answers, "database": database_answers, "worker": worker_beats}


def server_checks(servers: ActionServers) -> dict[str, Check]:
    """Make the optional checks of the team's action servers, numbered to not disclose their addresses."""

    def check_of(server: ActionServer) -> Check:
        async def is_server_ready() -> bool:
            await servers.look_up(server)
            return not server.problem

        return is_server_ready

    return {f"action_server_{number}": check_of(server) for number, server in enumerate(servers.servers, 1)}


async def check_readiness(named: dict[str, Check]) -> dict[str, bool]:
    """Run all checks at once; one that fails or takes too long is not ready."""

    async def run_check(check: Check) -> bool:
        try:
            async with asyncio.timeout(SECONDS):
                return await check()
        except Exception:  # noqa: BLE001 - whatever it is, it is not ready
            return False

    answers = await asyncio.gather(*(run_check(check) for check in named.values()))
    return dict(zip(named, answers, strict=True))


def router(named: dict[str, Check], optional: dict[str, Check] | None = None) -> APIRouter:
    """Build the two routes; optional checks do not affect readiness."""
    routes = APIRouter(tags=["health"])

    @routes.get("/health")
    async def get_health() -> dict[str, str]:
        return {"status": "alive"}

    @routes.get("/ready")
    async def get_readiness(response: Response) -> dict[str, object]:
        parts, beside = await asyncio.gather(check_readiness(named), check_readiness(optional or {}))
        response.status_code = 200 if all(parts.values()) else 503
        return {"ready": all(parts.values()), "parts": parts, **({"optional": beside} if optional else {})}

    return routes
