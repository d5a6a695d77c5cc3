"""The pages for staff, under ``/console``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from console.pages.staff import (
    canned,
    conversations,
    corrections,
    customers,
    dashboard,
    entries,
    examples,
    feedback,
    files,
    inbox,
    media,
    people,
    reuse,
    review,
    sign_in,
    trainings,
    why,
)
from console.pages.staff.base import PREFIX, Shell, StaffServices, route_class
from core.errors import NotFound

__all__ = ["StaffServices", "router"]

AREAS = (
    files, sign_in, dashboard, inbox, canned, customers, media, review, corrections, entries, conversations, reuse, feedback, examples, trainings, people, why,
)  # fmt: skip


def router(services: StaffServices) -> APIRouter:
    """Build the router of all pages; every page except the sign-in needs a session."""
    shell = Shell(services)
    routes = APIRouter(prefix=PREFIX, route_class=route_class(shell), include_in_schema=False)
    for area in AREAS:
        area.add_routes(routes, shell)

    @routes.get("/{path:path}")
    async def refuse_unknown_page(request: Request, path: str) -> Response:
        await shell.person(request)
        raise NotFound(f"There is no page {path!r}.")

    return routes
