"""``/api/v1/ai/training``: the review queue, entries, trainings and figures, for programs and signed-in pages."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from fastapi.security import HTTPBearer

from console.api import entries, performance, review, trainings
from console.api.errors import route_class
from console.api.services import LearningServices

PREFIX = "/api/v1/ai/training"


def router(services: LearningServices) -> APIRouter:
    """Build the router; requests need ``Authorization: Bearer TOKEN``, or a session cookie and its ``X-CSRF-Token``."""
    documented = Depends(HTTPBearer(auto_error=False, description="`rejoinder token` prints it."))
    routes = APIRouter(prefix=PREFIX, route_class=route_class(services.gate.caller), dependencies=[documented])
    for part in (review, entries, trainings, performance):
        part.add_routes(routes, services)
    return routes
