"""What the staff API stands on."""

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
    """Handed in by the app."""

    token: str
    tenant: str
    """Where none is named."""
    database: Database
    catalogue: Catalogue
    router: Router
    would_ask: Callable[[str, str], Awaitable[Request]]
    """What a model would be asked for a message (text, tenant)."""
    links: RatingLinks
    corrections: Corrections


class ModelManager(Protocol):
    """Which trained models serve."""

    def deploy(self, tenant_id: str, training: tuple[str, str], by: str, reason: str, *, force: bool) -> None:
        """Put the model of a training (id, kind) in force; an embedding serves once the worker has made its vectors.

        Raises:
            NotFound: there is no such training, or its model is no longer kept.
            Conflict: it was refused (``force`` takes a model of NLU all the same), is not ready, or another deployment runs.
            Unavailable: Rasa could not load it; the running model stays.
        """

    def rollback(self, tenant_id: str, kind: str, by: str, reason: str) -> str | None:
        """Go back to the model before; its training's id, None: the base model of embedding.

        Raises:
            NotFound: there is none before.
            Unavailable: Rasa could not load it; the running model stays.
        """


@dataclass(frozen=True)
class LearningServices:
    """What ``/api/v1/ai/training`` stands on; what is None is not part of this installation."""

    gate: Gate
    database: Database
    tenant: str
    desk: ReviewService
    harvest: Callable[[str, str], Awaitable[dict[str, Any]]] | None = None
    """Looks for candidates in one conversation (tenant, conversation id)."""
    harvest_all: Callable[[str], dict[str, Any]] | None = None
    """Begins to look through every conversation that was not looked at yet (tenant)."""
    start_training: Callable[[str, str, str, str], str] | None = None
    """Begins a training (tenant, kind, by, reason); the id of its session."""
    models: ModelManager | None = None
    """Deploys and takes back."""
