"""``/v1/routing``: a tenant's rules, limits and budgets, and explanations of how a message is routed."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict

from console.api.services import ApiServices
from core.errors import InvalidInput
from core.llm.router.budgets import WARN_SHARE
from core.llm.types import Request

STATES = ("within", "nearly spent", "spent")


class ExplainBody(BaseModel):
    """A message as a customer would write it."""

    model_config = ConfigDict(extra="forbid")

    text: str
    tenant: str | None = None


Tenant = Annotated[str, Query(max_length=64)]


def add_routes(routes: APIRouter, services: ApiServices) -> None:
    """Add the routes of the rules."""
    store = services.router.store

    @routes.get("/routing")
    async def get_routing_rules(tenant: Tenant = services.tenant) -> dict[str, Any]:
        document = await asyncio.to_thread(store.get, tenant)
        return document.model_dump(mode="json")

    @routes.put("/routing")
    async def store_routing_rules(
        document: Annotated[dict[str, Any], Body()], tenant: Tenant = services.tenant
    ) -> dict[str, Any]:
        stored = await asyncio.to_thread(store.put, tenant, document, "api")
        return stored.model_dump(mode="json")

    @routes.delete("/routing")
    async def reset_routing_rules(tenant: Tenant = services.tenant) -> dict[str, Any]:
        document = await asyncio.to_thread(store.reset, tenant)
        return document.model_dump(mode="json")

    @routes.post("/routing/explain")
    async def explain_routing(body: ExplainBody) -> dict[str, Any]:
        if not body.text.strip():
            raise InvalidInput("The text is empty.")
        tenant = body.tenant or services.tenant
        request = await services.would_ask(body.text, tenant)
        await services.router.refresh(request)
        return {**_describe_decision(services, request), "budget": await _describe_budget(services, tenant)}


def _describe_decision(services: ApiServices, request: Request) -> dict[str, Any]:
    decision = services.router.decide(request)
    return {
        "question": request.signals.question,
        "approved": request.signals.approved,
        "evidence": list(request.signals.evidence),
        "retrieval_confidence": request.signals.retrieval_confidence,
        "context_tokens": services.router.count_tokens(request) if request.messages else 0,
        "complexity": asdict(decision.complexity),
        "rule": decision.route,
        "use": decision.use,
        "models": [] if decision.use == "none" or not request.messages else list(decision.models),
        "reason": decision.reason,
    }


async def _describe_budget(services: ApiServices, tenant: str) -> dict[str, Any]:
    budget = services.router.document(tenant).budget
    spent, by_all = [await services.router.ledger.spent_today(whose) for whose in (tenant, None)]
    return {
        **budget.model_dump(mode="json"),
        "spent_today": str(spent),
        "spent_today_by_all": str(by_all),
        "state": max(
            (_compute_budget_state(spent, budget.tenant_per_day), _compute_budget_state(by_all, budget.day)),
            key=STATES.index,
        ),
    }


def _compute_budget_state(spent: Decimal, limit: Decimal | None) -> str:
    if limit is None or spent < WARN_SHARE * limit:
        return STATES[0]
    return STATES[1] if spent < limit else STATES[2]
