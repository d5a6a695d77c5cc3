"""Routes for the inbox's script: events, presence, and suggested replies."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from console.pages.staff.base import HEADERS, Shell
from core.conversations import search


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the routes, all below the inbox."""

    @routes.get("/inbox/stream")
    async def stream_inbox(request: Request) -> Any:
        await shell.person(request)
        conversation_id = request.query_params.get("conversation") or None
        if conversation_id:
            await shell.read(lambda session: search.get_conversation(session, shell.tenant, conversation_id))

        async def can_view_inbox() -> bool:
            person = await shell.gate.signed_in(request)
            return bool(person and person.may("analytics:view"))

        return shell.services.inbox.stream(shell.tenant, conversation_id, can_view_inbox)

    @routes.post("/inbox/{handoff_id}/presence")
    async def report_presence(request: Request, handoff_id: str) -> Response:
        person, form = await shell.form(request, "handoffs:answer")
        inbox = shell.services.inbox
        handoff = await inbox.handoffs.one(shell.tenant, handoff_id)
        if form.text("left"):
            inbox.presence.leave(handoff, person.email)
        else:
            inbox.presence.beat(handoff, person.email, person.name, typing=bool(form.text("typing")))
        viewers = [asdict(each) for each in inbox.presence.viewers(handoff.id)]
        return JSONResponse({"handoff_id": handoff.id, "viewers": viewers}, headers=HEADERS)

    @routes.get("/inbox/{handoff_id}/suggestions")
    async def list_suggestions(request: Request, handoff_id: str) -> Response:
        person = await shell.person(request, "handoffs:answer")
        inbox = shell.services.inbox
        handoff = await inbox.handoffs.one(shell.tenant, handoff_id)
        found = await asyncio.to_thread(inbox.suggest, shell.tenant, handoff.conversation_id)
        return HTMLResponse(shell.fragment("suggestions", person=person, suggestions=found), headers=HEADERS)
