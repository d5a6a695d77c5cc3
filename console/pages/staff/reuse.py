"""Reuse: how often approved answers matched new phrasings, how often wrongly, the benefit, and the limits."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from console.auth.sessions import Person
from console.pages.staff.base import PREFIX, Shell, redirect_to_page
from console.pages.staff.forms import count_pages, page_number
from core.errors import InvalidInput
from core.feedback import settings
from knowledge.answers.reuse import statistics
from knowledge.curation import near_miss_review
from knowledge.curation.review import queries
from knowledge.curation.review.queries import ReviewFilter

AT_ONCE = 50
SHOWN = 6
SETTINGS = ("reuse_error", "hold_out")


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the page of reuse and its two settings."""

    async def render_reuse_page(person: Person, number: int = 1, status: int = 200, **values: Any) -> Response:
        found = await shell.work(lambda session: _load_reuse_figures(session, shell.tenant, number))
        return await shell.page("reuse", person, area="reuse", status=status, page=number, **found, **values)

    @routes.get("/reuse")
    async def show_reuse(request: Request) -> Response:
        person = await shell.person(request)
        return await render_reuse_page(person, page_number(request), done="changed" in request.query_params)

    @routes.post("/reuse")
    async def update_reuse_settings(request: Request) -> Response:
        person, form = await shell.form(request, "users:manage")
        wanted = {name: form.text(name) for name in SETTINGS}
        try:
            await shell.read(
                lambda session: settings.update_learning_settings(session, shell.tenant, wanted, person.email)
            )
        except InvalidInput as error:
            return await render_reuse_page(person, status=422, error=str(error), given=form)
        return redirect_to_page(f"{PREFIX}/reuse?changed")


def _load_reuse_figures(session: Session, tenant_id: str, number: int) -> dict[str, Any]:
    every = statistics.by_entry(session, tenant_id)
    waiting, first = queries.list_review_items(session, tenant_id, ReviewFilter(kind="phrasing"), SHOWN, 0)
    return {
        "found": every[(number - 1) * AT_ONCE : number * AT_ONCE],
        "pages": count_pages(len(every), AT_ONCE),
        "entries": len(every),
        "overall": statistics.merge_entry_reuse(every),
        "settings": settings.get_learning_settings(session, tenant_id),
        "phrasings": waiting,
        "first": first,
        "unseen": sum(miss.tenant_id == tenant_id for miss in near_miss_review.open_misses(session)),
        "most_unseen": near_miss_review.AT_ONCE,
    }
