"""What the staff API stands on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.db import Database
from core.llm.catalogue import Catalogue
from core.llm.router.router import Router
from core.llm.types import Request


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
