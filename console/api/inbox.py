"""``/v1/bot``: live events, presence, suggested replies and canned replies of the console's inbox."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from console.api import conversations, customers
from console.api.errors import Answerer, Viewer, route_class
from console.auth.gate import Gate
from console.inbox import Inbox
from core.conversations.search import get_conversation
from core.errors import RejoinderError
from core.handoffs.staff import canned_replies


class TypingBody(BaseModel):
    """Activity of a member of staff who views a handoff."""

    model_config = ConfigDict(extra="forbid")

    typing: bool = False


class ViewerItem(BaseModel):
    """A member of staff who views the handoff."""

    model_config = ConfigDict(from_attributes=True)

    email: str
    name: str
    typing: bool


class SuggestionItem(BaseModel):
    """An answer from the knowledge base."""

    model_config = ConfigDict(from_attributes=True)

    answer: str
    title: str | None
    """Title of the source."""
    url: str | None


class CannedBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=canned_replies.LONGEST_NAME)]
    text: Annotated[str, Field(min_length=1, max_length=canned_replies.LONGEST)]
    """May contain {name}, {first_name} (the customer's) and {agent}."""


class CannedItem(BaseModel):
    """A canned reply of the tenant."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    text: str
    updated_by: str
    updated_at: datetime


def router(gate: Gate, inbox: Inbox) -> APIRouter:
    """Build the router; requests need ``Authorization: Bearer TOKEN``, or a session cookie and its ``X-CSRF-Token``."""
    routes = APIRouter(prefix="/v1/bot", route_class=route_class(gate.caller), tags=["inbox"])
    _add_stream(routes, gate, inbox)
    _add_presence(routes, gate, inbox)
    _add_canned(routes, gate)
    conversations.add_routes(routes, gate)
    customers.add_routes(routes, gate)
    return routes


def _add_stream(routes: APIRouter, gate: Gate, inbox: Inbox) -> None:
    events = {200: {"content": {"text/event-stream": {}}, "description": "Server-sent events."}}

    @routes.get("/inbox/stream", responses=events)  # type: ignore[arg-type]
    async def stream_inbox(request: Request, _: Viewer, conversation_id: str | None = None) -> Any:
        """What happens: ``handoff``, ``message``, ``customer_typing`` and ``present``, each with JSON; ``over`` at the end.

        With ``conversation_id`` also its messages while the bot owns the conversation. Nothing is repeated after a break:
        read the list again then.
        """
        if conversation_id:
            await gate.database.run(lambda session: get_conversation(session, gate.tenant, conversation_id))

        async def can_view_inbox() -> bool:
            try:
                return (await gate.caller(request)).may("analytics:view")
            except RejoinderError:
                return False

        return inbox.stream(gate.tenant, conversation_id, can_view_inbox)


def _add_presence(routes: APIRouter, gate: Gate, inbox: Inbox) -> None:
    @routes.put("/handoffs/{handoff_id}/presence")
    async def report_presence(handoff_id: str, body: TypingBody, person: Answerer) -> list[ViewerItem]:
        """Report every ten seconds that you view it, and every three that you are typing; returns who views it.

        A customer whose conversation an agent owns sees that somebody is typing.
        """
        handoff = await inbox.handoffs.one(gate.tenant, handoff_id)
        here = inbox.presence.beat(handoff, person.email, person.name, typing=body.typing)
        return [ViewerItem.model_validate(each) for each in here]

    @routes.get("/handoffs/{handoff_id}/suggestions")
    async def list_suggestions(handoff_id: str, _: Viewer) -> list[SuggestionItem]:
        """Up to three answers from the knowledge base to what the customer last asked; none while it is away."""
        handoff = await inbox.handoffs.one(gate.tenant, handoff_id)
        answers = await asyncio.to_thread(inbox.suggest, gate.tenant, handoff.conversation_id)
        return [SuggestionItem.model_validate(each) for each in answers]


def _add_canned(routes: APIRouter, gate: Gate) -> None:
    @routes.get("/canned-replies")
    async def list_canned_replies(_: Viewer) -> list[CannedItem]:
        """List all canned replies, by name."""
        texts = await gate.database.run(lambda session: canned_replies.list_canned_replies(session, gate.tenant))
        return [CannedItem.model_validate(each) for each in texts]

    @routes.post("/canned-replies", status_code=201)
    async def add_canned_reply(body: CannedBody, person: Answerer) -> CannedItem:
        """A new one; its name is free."""
        made = await gate.database.run(
            lambda s: canned_replies.add_canned_reply(s, gate.tenant, body.name, body.text, person.email)
        )
        return CannedItem.model_validate(made)

    @routes.put("/canned-replies/{canned_id}")
    async def update_canned_reply(canned_id: str, body: CannedBody, person: Answerer) -> CannedItem:
        """Another name or text."""
        changed = await gate.database.run(
            lambda s: canned_replies.update_canned_reply(
                s, gate.tenant, canned_id, body.name, body.text, by=person.email
            )
        )
        return CannedItem.model_validate(changed)

    @routes.delete("/canned-replies/{canned_id}", status_code=204)
    async def delete_canned_reply(canned_id: str, person: Answerer) -> None:
        """Delete a canned reply."""
        await gate.database.run(lambda s: canned_replies.delete_canned_reply(s, gate.tenant, canned_id, person.email))
