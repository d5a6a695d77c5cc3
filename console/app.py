"""The app process: channels, the action webhook, pages, APIs and health."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from console import health
from console.container import Container
from core import logs
from core.settings import Settings

LOOK_SECONDS = 0.5


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the FastAPI app with all routes of the app process."""
    settings = settings or Settings.load()
    logs.configure_logging(settings.log_format, settings.log_level)
    container = Container(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await container.start()
        announcement = asyncio.create_task(_announce_address(settings, container.health_checks))
        yield
        announcement.cancel()
        await container.stop()

    app = FastAPI(title="Rejoinder", lifespan=lifespan)
    for routes in container.list_routers():
        app.include_router(routes)
    return app


async def _announce_address(settings: Settings, checks: dict[str, health.Check]) -> None:
    """Print the address once all health checks pass."""
    while not all((await health.check_readiness(checks)).values()):  # noqa: ASYNC110 - other processes tell no event
        await asyncio.sleep(LOOK_SECONDS)
    line = f"Rejoinder is ready: open {settings.public_url}"
    print(f"\n{'=' * len(line)}\n{line}\n{'=' * len(line)}\n", file=sys.stderr, flush=True)  # noqa: T201
