"""Builds the desk from the settings."""

from __future__ import annotations

from collections.abc import Callable

from core.db import Database
from core.settings import Settings
from knowledge.curation.review.service import Desk
from knowledge.embeddings.embedder import Embedder
from knowledge.wiring import make_knowledge


def make_desk(
    settings: Settings,
    database: Database,
    embedder: Embedder | None = None,
    forget: Callable[[str], None] = lambda _tenant_id: None,
) -> Desk:
    """Where staff decide; ``forget`` drops a tenant's cached answers."""
    return Desk(database, make_knowledge(settings, database, embedder).synchroniser, forget)
