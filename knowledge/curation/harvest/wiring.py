"""Builds the harvest from the settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import structlog
from sqlalchemy import select

from core.db import Database
from core.db.models import Conversation, get_current_time
from core.llm.client import Asking, own_router
from core.llm.masking import make_masker
from core.settings import Settings
from knowledge.answers.injection import OrderDetector
from knowledge.answers.prompt_texts import Prompts
from knowledge.curation.harvest.faq import FaqFinder
from knowledge.curation.harvest.harvester import Harvester
from knowledge.curation.harvest.llm_reader import ModelReader
from knowledge.curation.harvest.pairs import PairFinder
from knowledge.curation.harvest.queue import expire_suggestions
from knowledge.embeddings.cached import RememberingEmbedder
from knowledge.wiring import make_answering, make_embedder, make_knowledge

log = structlog.get_logger()


@dataclass(frozen=True)
class Harvest:
    """What looks for new knowledge in what was said."""

    harvester: Harvester
    faq: FaqFinder


def make_harvest(settings: Settings, database: Database, ask: Asking | None = None) -> Harvest:
    """Everything, loaded; takes seconds. With ``ask``, models read along."""
    embedder = make_embedder(settings)
    remembering = RememberingEmbedder(embedder)
    masker, orders = make_masker(), OrderDetector(remembering)
    retriever = make_knowledge(settings, database, embedder).retriever
    return Harvest(
        Harvester(
            database,
            PairFinder(remembering, masker, orders),
            retriever,
            ModelReader(ask, Prompts.load(), orders) if ask else None,
        ),
        FaqFinder(database, remembering, masker, orders, make_answering(settings, database, embedder), retriever),
    )


def harvest_all(settings: Settings, database: Database) -> None:
    """Every tenant: new suggestions in, those that nobody reviewed in time out. For a job at night."""
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
