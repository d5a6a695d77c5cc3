"""Services that the staff API uses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from console.auth.gate import Gate
from core.db import Database
from core.feedback.links import RatingLinks
from core.llm.catalogue import Catalogue
from core.llm.router.router import Router
from core.llm.types import Request
from knowledge.curation.corrections.service import Corrections
from knowledge.curation.review.service import ReviewService


@dataclass(frozen=True)
class ApiServices:
    """Services of the staff API, provided by the app."""

    token: str
    tenant: str
    """Default tenant of requests."""
    database: Database
    catalogue: Catalogue
    router: Router
    would_ask: Callable[[str, str], Awaitable[Request]]
    """Builds the request to a model for a message (text, tenant)."""
    links: RatingLinks
    corrections: Corrections


class ModelManager(Protocol):
    """Deploys and rolls back trained models."""

    def deploy(self, tenant_id: str, training: tuple[str, str], by: str, reason: str, *, force: bool) -> None:
        """Deploy the model of a training (id, kind); an embedding model serves once the worker has computed its vectors.

        Raises:
            NotFound: there is no such training, or its model is no longer kept.
            Conflict: it was refused (``force`` overrides this for NLU) or is not ready, or another deployment runs.
            Unavailable: Rasa could not load it; the running model stays in use.
        """

    def rollback(self, tenant_id: str, kind: str, by: str, reason: str) -> str | None:
        """Go back to the previous model and return its training's id, or None for the base embedding model.

        Raises:
            NotFound: there is no previous model.
            Unavailable: Rasa could not load it; the running model stays in use.
        """


@dataclass(frozen=True)
class LearningServices:
    """Services of ``/api/v1/ai/training``; None marks what this installation lacks."""

    gate: Gate
    database: Database
    tenant: str
    desk: ReviewService
    harvest: Callable[[str, str], Awaitable[dict[str, Any]]] | None = None
    """Searches one conversation for candidates (tenant, conversation id)."""
    harvest_all: Callable[[str], dict[str, Any]] | None = None
    """Starts searching every conversation not yet searched (tenant)."""
    start_training: Callable[[str, str, str, str], str] | None = None
    """Starts a training (tenant, kind, by, reason) and returns its id."""
    models: ModelManager | None = None
    """Deploys and rolls back models."""
