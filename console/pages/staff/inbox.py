"""The inbox: waiting handoffs, one with its conversation and customer, and the actions of staff."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from console.auth.roles import Permission
from console.auth.sessions import Person
from console.pages.staff import inbox_live, inbox_parts
from console.pages.staff.base import HEADERS, PREFIX, Shell, redirect_to_page, status_of
from console.pages.staff.forms import Form
from console.pages.staff.inbox_parts import InboxView
from core.db.models import generate_id
from core.errors import Conflict, InvalidInput, NotFound
from core.handoffs.service import HandoffService
from core.handoffs.settings import CONSOLE

HOME = f"{PREFIX}/inbox"
NEEDED: Permission = "handoffs:answer"
_EVENT = re.compile(r"[A-Za-z0-9_-]{1,40}")


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the routes of the list, of one handoff, and of every action."""

    async def render_inbox_page(
        person: Person, view: InboxView, handoff_id: str | None, status: int = 200, **values: Any
    ) -> Response:
        found = await shell.read(
            lambda session: inbox_parts.load_inbox(session, shell.tenant, view, person, handoff_id)
        )  # fmt: skip
        viewers = shell.services.inbox.presence.viewers(handoff_id) if handoff_id else ()
        return await shell.page(
            "inbox", person, area="inbox", status=status, view=view, event=generate_id(), me=person.email,
            viewers=viewers, **found, **values,
        )  # fmt: skip

    @routes.get("/inbox")
    async def show_inbox(request: Request) -> Response:
        person = await shell.person(request)
        return await render_inbox_page(person, InboxView.of(request), None)

    inbox_live.add_routes(routes, shell)

    @routes.get("/inbox/{handoff_id}")
    async def show_handoff(request: Request, handoff_id: str) -> Response:
        person = await shell.person(request)
        return await render_inbox_page(person, InboxView.of(request), handoff_id)

    @routes.post("/inbox/{handoff_id}/{action}")
    async def apply_handoff_action(request: Request, handoff_id: str, action: str) -> Response:
        person, form = await shell.form(request, NEEDED)
        if action not in ACTIONS:
            raise NotFound(f"There is no action {action!r}.")
        try:
            doing = Doing(shell.tenant, handoff_id, person.email, event_of(form), form)
            await ACTIONS[action](shell.services.inbox.handoffs, doing)
        except (InvalidInput, Conflict) as error:
            if by_script(request):
                return build_script_response({"error": str(error)}, status_of(error))
            tried = {"error": str(error), "tried": action, "typed": form.text("text")}
            return await render_inbox_page(
                person, InboxView.encoded(form.text("view")), handoff_id, status_of(error), **tried
            )
        if by_script(request):
            return build_script_response({"event": generate_id()})
        return redirect_to_page(f"{HOME}/{handoff_id}?{InboxView.encoded(form.text('view')).query()}")

    _add_take_over(routes, shell)


def _add_take_over(routes: APIRouter, shell: Shell) -> None:
    @routes.post("/conversations/{conversation_id}/takeover")
    async def take_over(request: Request, conversation_id: str) -> Response:
        person, form = await shell.form(request, NEEDED)
        event = f"{CONSOLE}:{event_of(form)}"
        service = shell.services.inbox.handoffs
        handoff = await service.take_over(shell.tenant, conversation_id, person.email, event, held_by="")
        return redirect_to_page(f"{HOME}/{handoff.id}")


def event_of(form: Form) -> str:
    """Return the form's event id, which makes sending it twice idempotent.

    Raises:
        InvalidInput: the form has no valid id.
    """
    event = form.text("event")
    if not _EVENT.fullmatch(event):
        raise InvalidInput("This form has no id. Load the page again.")
    return event


def by_script(request: Request) -> bool:
    """Whether the page's script sent the request and expects a short answer."""
    return "application/json" in request.headers.get("accept", "")


def build_script_response(content: dict[str, Any], status: int = 200) -> Response:
    """Return a short answer for the script."""
    return JSONResponse(content, status, HEADERS)


@dataclass(frozen=True)
class Doing:
    """An action that staff request on a handoff."""

    tenant: str
    handoff_id: str
    by: str
    event: str
    form: Form

    @property
    def key(self) -> str:
        """The event id, prefixed with the desk."""
        return f"{CONSOLE}:{self.event}"


Action = Callable[[HandoffService, Doing], Awaitable[object]]


def _claim_handoff(service: HandoffService, d: Doing) -> Awaitable[object]:
    return service.claim(d.tenant, d.handoff_id, d.by, d.key, held_by=d.form.text("held_by"))


def _send_reply(service: HandoffService, d: Doing) -> Awaitable[object]:
    text, held_by = d.form.text("text"), d.form.text("held_by")
    return service.reply(d.tenant, d.handoff_id, text, d.by, desk=CONSOLE, event_id=d.event, held_by=held_by)


def _add_note(service: HandoffService, d: Doing) -> Awaitable[object]:
    return service.note(d.tenant, d.handoff_id, d.form.text("text"), d.by, d.key)


def _give_back(service: HandoffService, d: Doing) -> Awaitable[object]:
    return service.give_back(d.tenant, d.handoff_id, d.by, d.key)


def _close_as_resolved(service: HandoffService, d: Doing) -> Awaitable[object]:
    return service.close(d.tenant, d.handoff_id, d.by, resolved=True, event_id=d.key)


def _not_resolved(service: HandoffService, d: Doing) -> Awaitable[object]:
    return service.close(d.tenant, d.handoff_id, d.by, resolved=False, event_id=d.key)


ACTIONS: dict[str, Action] = {
    "claim": _claim_handoff,
    "reply": _send_reply,
    "note": _add_note,
    "return": _give_back,
    "resolved": _close_as_resolved,
    "not_resolved": _not_resolved,
}
