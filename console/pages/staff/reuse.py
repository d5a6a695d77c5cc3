"""Reuse: how often approved answers met new phrasings, how often wrongly, what it is worth, and how much is allowed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from console.auth.sessions import Person
from console.pages.staff.forms import page_number, pages
from console.pages.staff.shell import PREFIX, Shell, see
from core import learning
from core.errors import InvalidInput
from knowledge.reuse import measuring, second_look
from knowledge.review import listing
from knowledge.review.listing import Filter

AT_ONCE = 50
SHOWN = 6
SETTINGS = ("reuse_error", "hold_out")


def add_to(routes: APIRouter, shell: Shell) -> None:
    """The page of reuse, and its two settings."""

    async def page(person: Person, number: int = 1, status: int = 200, **values: Any) -> Response:
        found = await shell.work(lambda session: _found(session, shell.tenant, number))
        return await shell.page("reuse", person, area="reuse", status=status, page=number, **found, **values)

    @routes.get("/reuse")
    async def shown(request: Request) -> Response:
        person = await shell.person(request)
        return await page(person, page_number(request), done="changed" in request.query_params)

    @routes.post("/reuse")
    async def change(request: Request) -> Response:
        person, form = await shell.form(request, "users:manage")
        wanted = {name: form.text(name) for name in SETTINGS}
        try:
            await shell.read(lambda session: learning.change(session, shell.tenant, wanted, person.email))
        except InvalidInput as error:
            return await page(person, status=422, error=str(error), given=form)
        return see(f"{PREFIX}/reuse?changed")


def _found(session: Session, tenant_id: str, number: int) -> dict[str, Any]:
    every = measuring.by_entry(session, tenant_id)
    waiting, first = listing.listed(session, tenant_id, Filter(kind="phrasing"), SHOWN, 0)
    return {
        "found": every[(number - 1) * AT_ONCE : number * AT_ONCE],
        "pages": pages(len(every), AT_ONCE),
        "entries": len(every),
        "overall": measuring.overall(every),
        "settings": learning.of(session, tenant_id),
        "phrasings": waiting,
        "first": first,
        "unseen": sum(miss.tenant_id == tenant_id for miss in second_look.open_misses(session)),
        "most_unseen": second_look.AT_ONCE,
    }
