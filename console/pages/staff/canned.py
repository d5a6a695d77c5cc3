"""Canned replies: add, change, delete."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from console.auth.sessions import Person
from console.pages.staff.base import PREFIX, Shell, redirect_to_page, status_of
from console.pages.staff.forms import Form
from core.errors import Conflict, InvalidInput
from core.handoffs.staff import canned_replies

HOME = f"{PREFIX}/canned"
TOLD = {"added": "Added.", "changed": "Saved.", "deleted": "Deleted."}


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the page and its forms."""

    async def render_canned_page(person: Person, status: int = 200, **values: Any) -> Response:
        ready = await shell.read(lambda session: canned_replies.list_canned_replies(session, shell.tenant))
        return await shell.page("canned", person, area="inbox", status=status, ready=ready, **values)

    async def render_refusal(person: Person, error: Exception, tried: str, form: Form, status: int) -> Response:
        return await render_canned_page(person, status, error=str(error), tried=tried, given=form)

    @routes.get("/canned")
    async def list_canned_replies(request: Request) -> Response:
        person = await shell.person(request)
        return await render_canned_page(person, told=TOLD.get(request.query_params.get("done", ""), ""))

    @routes.post("/canned")
    async def add_canned_reply(request: Request) -> Response:
        person, form = await shell.form(request, "handoffs:answer")
        name, text = form.text("name"), form.text("text")
        try:
            await shell.read(
                lambda session: canned_replies.add_canned_reply(session, shell.tenant, name, text, person.email)
            )
        except (InvalidInput, Conflict) as error:
            return await render_refusal(person, error, "new", form, status_of(error))
        return redirect_to_page(f"{HOME}?done=added")

    @routes.post("/canned/{canned_id}")
    async def update_canned_reply(request: Request, canned_id: str) -> Response:
        person, form = await shell.form(request, "handoffs:answer")
        name, text = form.text("name"), form.text("text")
        try:
            await shell.read(
                lambda s: canned_replies.update_canned_reply(s, shell.tenant, canned_id, name, text, by=person.email)
            )
        except (InvalidInput, Conflict) as error:
            return await render_refusal(person, error, canned_id, form, status_of(error))
        return redirect_to_page(f"{HOME}?done=changed")

    @routes.post("/canned/{canned_id}/delete")
    async def delete_canned_reply(request: Request, canned_id: str) -> Response:
        person, _ = await shell.form(request, "handoffs:answer")
        await shell.read(
            lambda session: canned_replies.delete_canned_reply(session, shell.tenant, canned_id, person.email)
        )
        return redirect_to_page(f"{HOME}?done=deleted")
