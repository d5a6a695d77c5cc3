"""The staff API: for who has the token; with a real router over scripted models."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from console.api import ApiServices, router
from core.db import Database
from core.db.models import LlmCall
from core.feedback.links import RatingLinks
from core.llm.router.rules import APPROVED
from core.llm.router.store import RoutingStore
from core.llm.types import Request
from knowledge.curation.corrections.service import Corrections
from tests.core.llm.scripted import CATALOGUE, Bench, Say, ask, bench

TOKEN = {"Authorization": "Bearer let me in"}


@pytest.fixture
def made(sqlite: Database) -> Bench:
    return bench(sqlite)


@pytest.fixture
async def api(made: Bench) -> AsyncIterator[httpx.AsyncClient]:
    async def would_ask(text: str, tenant: str) -> Request:
        return ask(text)

    app = FastAPI()
    services = ApiServices(
        "let me in",
        "default",
        made.database,
        CATALOGUE,
        made.router,
        would_ask,
        links=RatingLinks("secret"),
        corrections=Corrections(made.database, None, None),  # type: ignore[arg-type] - not decided about here
    )
    app.include_router(router(services))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app", headers=TOKEN) as client:
        yield client


async def got(api: httpx.AsyncClient, path: str, method: str = "GET", body: Any = None) -> Any:
    response = await api.request(method, path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer guess"}, {"Authorization": "let me in"}])
async def test_without_the_token_nothing_is_told(api: httpx.AsyncClient, header: dict[str, str]) -> None:
    api.headers.pop("Authorization")
    for path in ("/v1/providers", "/v1/providers/usage", "/v1/routing"):
        response = await api.get(path, headers=header)
        assert response.status_code == 401
        assert "token" in response.json()["error"]["message"]


async def test_providers_are_listed_with_models_prices_and_health(api: httpx.AsyncClient, made: Bench) -> None:
    await made.router.complete(ask())
    found = await got(api, "/v1/providers")
    providers = {each["provider"]: each for each in found["providers"]}
    assert (providers["a"]["configured"], providers["c"]["configured"]) == (True, False)
    assert providers["openai"]["setting"] == "REJOINDER_OPENAI_API_KEY"
    cheap = next(model for model in providers["a"]["models"] if model["id"] == "a/cheap")
    assert (cheap["roles"], cheap["price"]["input"]) == (["cheap"], "0.1")
    assert (cheap["health"]["state"], cheap["health"]["calls"]) == ("closed", 1)
    assert found["stats"]["answers"]["misses"] == 1


async def test_a_test_names_cause_and_mend_and_a_reset_forgives(api: httpx.AsyncClient, made: Bench) -> None:
    made.scripted.always["cheap"] = Say("", fail="unauthorised")
    (report,) = await got(api, "/v1/providers/test", "POST", {"provider": "a"})
    assert (report["ok"], report["error_kind"]) == (False, "unauthorised")
    assert "key" in report["mend"]
    states = {h.model: h.state for h in made.router.health()}
    assert states["a/cheap"] == "open"
    assert await got(api, "/v1/providers/reset", "POST", {"model": "a/cheap"}) == {"reset": "a/cheap"}
    assert {h.model: h.state for h in made.router.health()}["a/cheap"] == "closed"
    assert (await api.post("/v1/providers/reset", json={"model": "a/none"})).status_code == 404


async def test_what_was_used_is_summed_by_what_is_asked(api: httpx.AsyncClient, made: Bench) -> None:
    for question in ("one?", "two?"):
        await made.router.complete(ask(question))
    (row,) = await got(api, "/v1/providers/usage?by=route")
    assert (row["name"], row["calls"], Decimal(row["cost"])) == ("simple", 2, Decimal("0.00028"))
    assert await got(api, "/v1/providers/usage?from=2020-01-01&to=2020-01-02") == []
    for wrong in ("by=colour", "from=yesterday", "from=2026-02-02&to=2026-01-01"):
        response = await api.get(f"/v1/providers/usage?{wrong}")
        assert response.status_code == 422
        assert response.json()["error"]["message"]


async def test_routing_is_read_replaced_and_reset(api: httpx.AsyncClient) -> None:
    document = await got(api, "/v1/routing")
    assert document["rules"][0]["name"] == "approved"
    document["candidates"] = 3
    assert (await got(api, "/v1/routing", "PUT", document))["candidates"] == 3
    assert (await got(api, "/v1/routing"))["candidates"] == 3
    assert (await got(api, "/v1/routing?tenant=other"))["candidates"] == 1
    assert (await got(api, "/v1/routing", "DELETE"))["candidates"] == 1


async def test_a_wrong_rule_is_refused_with_every_reason_and_changes_nothing(api: httpx.AsyncClient) -> None:
    document = await got(api, "/v1/routing")
    wrong = {**document, "rules": [*document["rules"], {"name": "late", "when": {}, "use": "a/none"}]}
    response = await api.put("/v1/routing", json=wrong)
    assert response.status_code == 422
    reasons = response.json()["error"]["message"]
    assert "a/none" in reasons and "late" in reasons
    assert await got(api, "/v1/routing") == document


async def test_a_message_is_explained_without_asking_a_model(api: httpx.AsyncClient, made: Bench) -> None:
    found = await got(api, "/v1/routing/explain", "POST", {"text": "What colour is it?"})
    assert (found["rule"], found["models"][0]) == ("simple", "a/cheap")
    assert found["complexity"]["score"] < 0.3
    assert found["budget"]["spent_today"] == "0"
    assert not made.scripted.asked


async def test_an_explanation_knows_rules_and_spending_of_other_processes(api: httpx.AsyncClient, made: Bench) -> None:
    await got(api, "/v1/routing/explain", "POST", {"text": "What colour is it?"})
    document = {"rules": [APPROVED.model_dump(), {"name": "all", "use": "balanced"}], "budget": {"tenant_per_day": "1"}}
    RoutingStore(made.database, CATALOGUE.models).put("default", document, "command line")
    with made.database.session() as session:
        session.add(LlmCall(tenant_id="default", provider="a", model="a/big", success=True, cost=Decimal(1)))
    made.clock.now += 60
    found = await got(api, "/v1/routing/explain", "POST", {"text": "What colour is it?"})
    assert (found["rule"], found["budget"]["state"], found["models"]) == ("all", "spent", [])


async def test_an_explanation_tells_when_the_budget_is_spent(api: httpx.AsyncClient, made: Bench) -> None:
    await made.router.complete(ask())
    made.rules(budget={"tenant_per_day": "0.00001"})
    found = await got(api, "/v1/routing/explain", "POST", {"text": "What colour is it?"})
    assert (found["budget"]["state"], found["budget"]["tenant_per_day"]) == ("spent", "0.00001")


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe{", b"[]", b'{"text": " "}', b'{"text": "a", "colour": 1}'])
async def test_a_body_that_cannot_be_read_is_refused_with_a_sentence(api: httpx.AsyncClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = await api.post("/v1/routing/explain", content=body, headers=headers)
    assert response.status_code == 422
    assert response.json()["error"]["message"]
