"""Asking a model where one is set up, and doing without where none is; also from jobs and commands, which have no event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import structlog

from core.db import Database
from core.errors import NoProviderLeft, ProviderFailed
from core.llm.router.router import Router
from core.llm.types import Completion, Request
from core.llm.wiring import make_router
from core.settings import Settings

log = structlog.get_logger()
Ask = Callable[[Request], Completion | None]
"""A model's answer; None: no model is set up for this, or all failed (which is logged)."""


def no_model(_: Request) -> Completion | None:
    """Where there is none."""
    return None


async def asked(router: Router, request: Request) -> Completion | None:
    """The router's answer; None as for ``Ask``."""
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


def asking(router: Router, loop: asyncio.AbstractEventLoop) -> Ask:
    """Asks a router that lives on ``loop``, from any other thread."""
    return lambda request: asyncio.run_coroutine_threadsafe(asked(router, request), loop).result()


@contextmanager
def own_router(settings: Settings, database: Database) -> Iterator[Ask]:
    """A router on a thread of its own, for as long as it is needed.

    Raises:
        ModelsInvalid: models.yml is missing or wrong.
        SettingsInvalid: a package that a local model needs is not installed.
    """
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="router", daemon=True)
    thread.start()
    router = make_router(settings, database)
    try:
        asyncio.run_coroutine_threadsafe(router.start(), loop).result()
        yield asking(router, loop)
    finally:
        asyncio.run_coroutine_threadsafe(router.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
