"""The staff API under ``/v1``, for holders of its token and for signed-in staff."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request

from console.api import corrections, feedback, model_routes, providers
from console.api.errors import route_class
from console.api.services import ApiServices
from console.auth.gate import Gate, require_permission
from console.auth.sessions import Person

__all__ = ["ApiServices", "router"]


def router(services: ApiServices) -> APIRouter:
    """Build the router; every route needs ``Authorization: Bearer TOKEN``, or a session with its CSRF token."""
    gate = Gate(services.database, services.tenant, services.token)
    routes = APIRouter(prefix="/v1", route_class=route_class(_make_staff_check(gate)), tags=["staff"])
    providers.add_routes(routes, services)
    model_routes.add_routes(routes, services)
    feedback.add_routes(routes, services)
    corrections.add_routes(routes, services)
    return routes


def _make_staff_check(gate: Gate) -> Callable[[Request], Awaitable[Person]]:
    """Make the access check: the token's holder and admins; below ``/v1/bot/`` all staff, where routes may require more."""

    async def authorise_staff(request: Request) -> Person:
        person = await gate.caller(request)
        require_permission(person, "analytics:view" if request.url.path.startswith("/v1/bot/") else "users:manage")
        return person

    return authorise_staff
