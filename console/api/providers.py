"""``/v1/providers``: providers, their health and their costs."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from console.api.services import ApiServices
from core.errors import InvalidInput
from core.llm import summaries
from core.llm.catalogue import Catalogue
from core.llm.router.health import ModelHealth
from core.llm.router.probe import SETUP


class _ProviderBody(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TestBody(_ProviderBody):
    """The provider to test; null tests all that are set up."""

    __test__ = False  # not a pytest class

    provider: str | None = None


class ResetBody(_ProviderBody):
    """The model whose health to reset; null resets all."""

    model: str | None = None


def add_routes(routes: APIRouter, services: ApiServices) -> None:
    """Add the routes of providers and usage."""

    @routes.get("/providers")
    async def list_providers() -> dict[str, Any]:
        health = services.router.health()
        return {"providers": describe_providers(services.catalogue, health), "stats": services.router.stats()}

    @routes.post("/providers/test")
    async def test_providers(body: TestBody) -> list[dict[str, Any]]:
        names = [body.provider] if body.provider else sorted({h.provider for h in services.router.health()})
        return [asdict(report) for report in await asyncio.gather(*map(services.router.test, names))]

    @routes.post("/providers/reset")
    async def reset_provider_health(body: ResetBody) -> dict[str, Any]:
        if body.model is not None:
            services.catalogue.model(body.model)
        services.router.reset(body.model)
        return {"reset": body.model or "all"}

    @routes.get("/providers/usage")
    async def list_provider_usage(
        by: summaries.By = "model",
        start: Annotated[date | None, Query(alias="from")] = None,
        end: Annotated[date | None, Query(alias="to")] = None,
        tenant: str | None = None,
    ) -> list[dict[str, Any]]:
        today = datetime.now(UTC).date()
        first, last = start or today.replace(day=1), end or today
        if first > last:
            raise InvalidInput(f"from ({first}) lies after to ({last}).")
        await services.router.ledger.flush()
        rows = await services.database.run(lambda s: summaries.summarise_usage(s, by, first, last, tenant))
        return [asdict(row) for row in rows]


def describe_providers(catalogue: Catalogue, health: list[ModelHealth]) -> list[dict[str, Any]]:
    """Describe every provider with its models, and their health where it is set up."""
    known = {each.model: each for each in health}
    working = {each.provider for each in health}
    names = dict.fromkeys([*SETUP, *(model.provider for model in catalogue.models.values())])
    return [
        {
            "provider": name,
            "configured": name in working,
            "setting": SETUP.get(name),
            "models": [
                {
                    "id": id_,
                    "roles": [role for role, ids in catalogue.roles.items() if id_ in ids],
                    "context_window": model.context_window,
                    "price": model.price and model.price.model_dump(mode="json", exclude_none=True),
                    "health": asdict(known[id_]) if id_ in known else None,
                }
                for id_, model in catalogue.models.items()
                if model.provider == name
            ],
        }
        for name in names
    ]
