"""Builds the second look from the settings."""

from __future__ import annotations

import asyncio

import structlog

from core.db import Database
from core.llm.wiring import make_router
from core.settings import Settings
from knowledge.answers.injection import OrderDetector
from knowledge.answers.prompt_texts import Prompts
from knowledge.curation.near_miss_review import SecondLook, open_misses
from knowledge.embeddings.cached import RememberingEmbedder
from knowledge.wiring import make_embedder

log = structlog.get_logger()


def look_again(settings: Settings, database: Database) -> None:
    """The second look at all tenants' near misses; nothing is loaded where there are none. For a job."""
    with database.session() as session:
        if not open_misses(session):
            return
    proposed = asyncio.run(_run_second_look(settings, database))
    log.info("second look", proposed=proposed)


async def _run_second_look(settings: Settings, database: Database) -> int:
    router = make_router(settings, database)
    await router.start()
    try:
        orders = OrderDetector(RememberingEmbedder(make_embedder(settings)))
        return await SecondLook(database, router, Prompts.load(), orders).run()
    finally:
        await router.close()
