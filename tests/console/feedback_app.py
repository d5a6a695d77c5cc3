"""An app with the routes of feedback and corrections, over a database that a test fills."""

from __future__ import annotations

from typing import Any

import httpx
from fastapi import FastAPI

from connectors.http.config import WebConfig
from connectors.web.access import WebAccess
from connectors.web.tokens import SessionTokens
from console.api import ApiServices, router
from console.api.feedback import submit_router
from core.conversations.feedback import Feedback
from core.db import Database
from core.feedback.links import RatingLinks
from core.llm.types import Request
from tests.core.llm.scripted import CATALOGUE, ask, bench

PAGE = "https://shop.example"
CONFIG = WebConfig(tenant="default", secret="a secret of the tests", allowed_origins=frozenset({PAGE}))
LINKS = RatingLinks("another secret")
STAFF = {"Authorization": "Bearer let me in"}


def client_of(database: Database, corrections: Any = None) -> httpx.AsyncClient:
    """Staff with their token."""

    async def would_ask(text: str, tenant: str) -> Request:
        return ask(text)

    made = bench(database)
    services = ApiServices(
        "let me in", "default", database, CATALOGUE, made.router, would_ask, links=LINKS, corrections=corrections
    )
    app = FastAPI()
    app.include_router(submit_router(Feedback(database), LINKS, WebAccess(CONFIG)))
    app.include_router(router(services))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app", headers=STAFF)


def session_of(conversation_id: str) -> dict[str, str]:
    """The headers of a customer's browser."""
    tokens = SessionTokens(CONFIG.secret, CONFIG.tenant, CONFIG.session_seconds)
    return {"Authorization": f"Bearer {tokens.issue(conversation_id).token}", "Origin": PAGE}
