"""Canned replies: written, changed and deleted."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from console.auth.sessions import Person
from console.pages.staff.base import PREFIX, Shell, see, status_of
from console.pages.staff.forms import Form
from core.errors import Conflict, InvalidInput
from core.handoffs.staff import canned_replies

HOME = f"{PREFIX}/canned"
TOLD = {"added": "Added.", "changed": "Saved.", "deleted": "Deleted."}


def add_to(routes: APIRouter, shell: Shell) -> None:
    """The page and its forms."""

    async def page(person: Person, status: int = 200, **values: Any) -> Response:
        ready = await shell.read(lambda session: canned_replies.listed(session, shell.tenant))
        return await shell.page("canned", person, area="inbox", status=status, ready=ready, **values)

    async def refused(person: Person, error: Exception, tried: str, form: Form, status: int) -> Response:
        return await page(person, status, error=str(error), tried=tried, given=form)

    @routes.get("/canned")
    async def listed(request: Request) -> Response:
        person = await shell.person(request)
        return await page(person, told=TOLD.get(request.query_params.get("done", ""), ""))

    @routes.post("/canned")
    async def add(request: Request) -> Response:
        person, form = await shell.form(request, "handoffs:answer")
        name, text = form.text("name"), form.text("text")
        try:
            await shell.read(lambda session: canned_replies.add(session, shell.tenant, name, text, person.email))
        except (InvalidInput, Conflict) as error:
            return await refused(person, error, "new", form, status_of(error))
        return see(f"{HOME}?done=added")

    @routes.post("/canned/{canned_id}")
    async def change(request: Request, canned_id: str) -> Response:
        person, form = await shell.form(request, "handoffs:answer")
        name, text = form.text("name"), form.text("text")
        try:
            await shell.read(lambda s: canned_replies.change(s, shell.tenant, canned_id, name, text, by=person.email))
        except (InvalidInput, Conflict) as error:
            return await refused(person, error, canned_id, form, status_of(error))
        return see(f"{HOME}?done=changed")

    @routes.post("/canned/{canned_id}/delete")
    async def remove(request: Request, canned_id: str) -> Response:
        person, _ = await shell.form(request, "handoffs:answer")
        await shell.read(lambda session: canned_replies.remove(session, shell.tenant, canned_id, person.email))
        return see(f"{HOME}?done=deleted")
