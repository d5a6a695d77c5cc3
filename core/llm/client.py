"""Optional model calls that return None without a model; also for jobs and commands, which have no event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

import structlog

from core.db import Database
from core.errors import NoProviderLeft, ProviderFailed
from core.llm.factory import make_router
from core.llm.router.router import Router
from core.llm.types import Completion, Request
from core.settings import Settings

log = structlog.get_logger()


async def request_completion(router: Router, request: Request) -> Completion | None:
    """Return the router's answer, or None if no model is set up for this or all failed (which is logged)."""
    if not router.decide(request).models:
        return None
    try:
        return await router.complete(request)
    except (NoProviderLeft, ProviderFailed) as error:
        caller = request.caller
        log.warning(
            "no model answered", purpose=caller.purpose, conversation_id=caller.conversation_id, error=str(error)
        )
        return None


@dataclass(frozen=True)
class Asking:
    """Calls a router that runs on ``loop`` from any other thread."""

    router: Router
    loop: asyncio.AbstractEventLoop

    def has_model(self, request: Request) -> bool:
        """Whether the router would call a model."""

        async def has_routed_models() -> bool:
            return bool(self.router.decide(request).models)

        return asyncio.run_coroutine_threadsafe(has_routed_models(), self.loop).result()

    def __call__(self, request: Request) -> Completion | None:
        return asyncio.run_coroutine_threadsafe(request_completion(self.router, request), self.loop).result()


@contextmanager
def own_router(settings: Settings, database: Database) -> Iterator[Asking]:
    """Run a router on its own thread for the duration of the context.

    Raises:
        ModelsInvalid: models.yml is missing or wrong.
        SettingsInvalid: a package that a local model needs is not installed.
    """
    router = make_router(settings, database)
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="router", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(router.start(), loop).result()
        yield Asking(router, loop)
    finally:
        asyncio.run_coroutine_threadsafe(router.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
