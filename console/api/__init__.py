"""The staff API under ``/v1``: who knows the token may look and change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request

from console.api import corrections, feedback, model_routes, providers
from console.api.errors import route_class
from console.api.services import ApiServices
from console.auth.gate import Gate, need
from console.auth.sessions import Person

__all__ = ["ApiServices", "router"]


def router(services: ApiServices) -> APIRouter:
    """All routes; each needs ``Authorization: Bearer TOKEN``, or a session with its CSRF token."""
    gate = Gate(services.database, services.tenant, services.token)
    routes = APIRouter(prefix="/v1", route_class=route_class(_staff(gate)), tags=["staff"])
    providers.add_to(routes, services)
    model_routes.add_to(routes, services)
    feedback.add_to(routes, services)
    corrections.add_to(routes, services)
    return routes


def _staff(gate: Gate) -> Callable[[Request], Awaitable[Person]]:
    """Who may: the token's holder and admins. Below ``/v1/bot/`` all of the staff, and each route says what it needs more."""

    async def let_in(request: Request) -> Person:
        person = await gate.caller(request)
        need(person, "analytics:view" if request.url.path.startswith("/v1/bot/") else "users:manage")
        return person

    return let_in
