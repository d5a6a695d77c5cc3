"""Worker jobs for the knowledge: harvest suggestions and review near misses."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass

import structlog
from sqlalchemy import select

from core.db import Database
from core.db.models import Conversation, get_current_time
from core.llm.client import Asking, own_router
from core.llm.factory import make_router
from core.llm.masking import make_masker
from core.settings import Settings
from knowledge.answers.injection import OrderDetector
from knowledge.answers.prompt_texts import Prompts
from knowledge.curation.harvest.faq import FaqFinder
from knowledge.curation.harvest.harvester import Harvester
from knowledge.curation.harvest.llm_reader import ModelReader
from knowledge.curation.harvest.pairs import PairFinder
from knowledge.curation.harvest.queue import expire_suggestions
from knowledge.curation.near_miss_review import NearMissReview, open_misses
from knowledge.embeddings.cached import CachedEmbedder
from knowledge.services import Knowledge, make_embedder

log = structlog.get_logger()


@dataclass(frozen=True)
class Harvest:
    """The components that harvest knowledge from conversations."""

    harvester: Harvester
    faq: FaqFinder


def make_harvest(settings: Settings, database: Database, ask: Asking | None = None) -> Harvest:
    """Load all components, which takes seconds. With ``ask``, models read along."""
    knowledge = Knowledge(settings, database, make_embedder(settings))
    embedder, retriever = knowledge.cached_embedder, knowledge.retriever
    masker, orders = make_masker(), OrderDetector(embedder)
    return Harvest(
        Harvester(
            database,
            PairFinder(embedder, masker, orders),
            retriever,
            ModelReader(ask, Prompts.load(), orders) if ask else None,
        ),
        FaqFinder(database, embedder, masker, orders, knowledge.answering, retriever),
    )


def harvest_all(settings: Settings, database: Database) -> None:
    """Expire stale suggestions and harvest new ones for every tenant; for a nightly job."""
    with database.session() as session:
        tenants = list(session.scalars(select(Conversation.tenant_id).distinct()))
        for tenant_id in tenants:
            expire_suggestions(session, tenant_id, get_current_time())
    if not tenants:
        return
    with own_router(settings, database) as ask:
        made = make_harvest(settings, database, ask)
        for tenant_id in tenants:
            run = made.harvester.process(tenant_id)
            suggested = made.faq.suggest(tenant_id)
            log.info("harvested", tenant_id=tenant_id, **asdict(run), suggested_faq=suggested)


def look_again(settings: Settings, database: Database) -> None:
    """Review the near misses of all tenants; loads nothing if there are none. For a job."""
    with database.session() as session:
        if not open_misses(session):
            return
    proposed = asyncio.run(_run_second_look(settings, database))
    log.info("second look", proposed=proposed)


async def _run_second_look(settings: Settings, database: Database) -> int:
    router = make_router(settings, database)
    await router.start()
    try:
        orders = OrderDetector(CachedEmbedder(make_embedder(settings)))
        return await NearMissReview(database, router, Prompts.load(), orders).run()
    finally:
        await router.close()
