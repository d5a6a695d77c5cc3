"""A chat API over ASGI, with turns that the test directs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from connectors.http.config import WebConfig
from connectors.web import routes, widget
from connectors.web.access import WebAccess
from tests.connectors.doubles import FakeFeedback, FakeTurns

PAGE = "https://shop.example"
OTHER_PAGE = "https://elsewhere.example"
CONFIG = WebConfig(tenant="shop", secret="a secret of the tests", allowed_origins=frozenset({PAGE}))


@pytest.fixture
def turns() -> FakeTurns:
    return FakeTurns()


@pytest.fixture
def make_client(turns: FakeTurns) -> Callable[..., httpx.AsyncClient]:
    def make(**changes) -> httpx.AsyncClient:
        config = replace(CONFIG, **changes)
        app = FastAPI()
        app.include_router(routes.router(turns, FakeFeedback(turns), turns.hub, WebAccess(config)))
        app.include_router(widget.router())
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="https://chat.example", headers={"Origin": PAGE})

    return make


@pytest.fixture
async def client(make_client: Callable[..., httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    async with make_client() as client:
        yield client


@pytest.fixture
async def bearer(client: httpx.AsyncClient) -> dict[str, str]:
    """The headers of an open session."""
    return await open_session(client)


async def open_session(client: httpx.AsyncClient) -> dict[str, str]:
    response = await client.post("/api/chat/sessions", json={})
    assert response.status_code == 201, response.text
    return {"Authorization": f"Bearer {response.json()['token']}"}
