"""What the staff API stands on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from console.auth.gate import Gate
from core.db import Database
from core.feedback.links import Links
from core.llm.catalogue import Catalogue
from core.llm.router.router import Router
from core.llm.types import Request
from knowledge.corrections.desk import Corrections
from knowledge.review.desk import Desk


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
    links: Links
    corrections: Corrections


@dataclass(frozen=True)
class LearningServices:
    """What ``/api/v1/ai/training`` stands on; what is None is not part of this installation."""

    gate: Gate
    database: Database
    tenant: str
    desk: Desk
    harvest: Callable[[str, str], Awaitable[dict[str, Any]]] | None = None
    """Looks for candidates in one conversation (tenant, conversation id)."""
    harvest_all: Callable[[str], dict[str, Any]] | None = None
    """Begins to look through every conversation that was not looked at yet (tenant)."""
    start_training: Callable[[str, str, str, str], str] | None = None
    """Begins a training (tenant, kind, by, reason); the id of its session."""
