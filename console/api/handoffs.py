"""``/v1/bot/handoffs``: list, claim, answer and close handoffs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field

from console.api.errors import Admin, Answerer, Viewer, route_class
from console.api.page_query import Limit, Offset
from console.auth.gate import Gate
from core.handoffs import settings
from core.handoffs.service import HandoffService
from core.handoffs.staff.queries import HandoffFilter

DESK = settings.CONSOLE
StateFilter = Literal[
    "open",
    "late",
    "requested",
    "claimed",
    "with_person",
    "returned",
    "closed",
    "timed_out",
    "customer_left",
    "nobody_there",
]
EventId = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
        description="The same one twice does the same thing once.",
    ),
]


HeldBy = Annotated[
    str | None,
    Query(
        max_length=200, description="Who had it when you looked, empty for nobody: 409 where a colleague took it since."
    ),
]


class _HandoffBody(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReplyBody(_HandoffBody):
    """A reply to the customer."""

    text: Annotated[str, Field(min_length=1, max_length=4000)]


class ClosureBody(_HandoffBody):
    """Whether the handoff helped, if known."""

    resolved: bool | None = None


class _Item(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class HandoffItem(_Item):
    """A handoff with its conversation and customer."""

    id: str
    conversation_id: str
    state: str
    trigger: str
    reason: str
    urgency: str
    sentiment: str
    summary: str
    sources: list[dict[str, Any]]
    contact: str | None
    claimed_by: str | None
    resolved: bool | None
    channel: str
    address: str | None
    customer_id: str | None
    customer_name: str | None
    vip: bool
    call: str | None
    """The member of staff whose turn it is in the on-call order."""
    requested_at: datetime
    claimed_at: datetime | None
    first_reply_at: datetime | None
    ended_at: datetime | None


class HandoffPage(BaseModel):
    """One page of matching handoffs."""

    total: int
    limit: int
    offset: int
    items: list[HandoffItem]


class MessageItem(_Item):
    """A message of the conversation."""

    id: str
    seq: int
    speaker: str
    author: str | None
    text: str
    buttons: list[str]
    sources: list[dict[str, Any]]
    attachments: list[dict[str, Any]]
    created_at: datetime


class TransitionItem(_Item):
    event: str
    from_state: str
    to_state: str
    cause: str
    by: str
    at: datetime


class NoteItem(_Item):
    """An internal note of staff."""

    text: str
    by: str
    at: datetime


class HandoffHistory(_Item):
    """A handoff with its messages, transitions and notes."""

    handoff: HandoffItem
    messages: list[MessageItem]
    transitions: list[TransitionItem]
    notes: list[NoteItem]
    delivered: dict[str, str]
    """Delivery state by message id: queued, sending, sent, delivered, read, failed or dead."""
    lost: dict[str, str]
    """Why a delivery failed, by message id."""


def router(gate: Gate, service: HandoffService) -> APIRouter:
    """Build the router; requests need ``Authorization: Bearer TOKEN``, or a session cookie and its ``X-CSRF-Token``."""
    routes = APIRouter(prefix="/v1/bot", route_class=route_class(gate.caller), tags=["handoffs"])
    _add_reading(routes, gate, service)
    _add_doing(routes, gate, service)
    _add_settings(routes, gate)
    return routes


def _add_reading(routes: APIRouter, gate: Gate, service: HandoffService) -> None:
    @routes.get("/handoffs")
    async def list_handoffs(  # noqa: PLR0917 - a filter each
        _: Viewer,
        state: StateFilter = "open",
        conversation_id: str | None = None,
        claimed_by: str | None = None,
        channel: str | None = None,
        urgency: Literal["low", "normal", "high"] | None = None,
        sentiment: Literal["positive", "neutral", "negative", "angry"] | None = None,
        text: Annotated[str | None, Query(max_length=200)] = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> HandoffPage:
        """Urgent handoffs first, then the longest waiting; ``late`` are those to which nobody came."""
        wanted = HandoffFilter(
            state,
            conversation_id,
            claimed_by=claimed_by,
            channel=channel,
            urgency=urgency,
            sentiment=sentiment,
            text=text,
        )
        total, items = await service.listed(gate.tenant, wanted, limit, offset)
        shown = [HandoffItem.model_validate(item) for item in items]
        return HandoffPage(total=total, limit=limit, offset=offset, items=shown)

    @routes.get("/handoffs/{handoff_id}")
    async def get_handoff(handoff_id: str, _: Viewer) -> HandoffHistory:
        """With the conversation and everything that happened."""
        return HandoffHistory.model_validate(await service.history(gate.tenant, handoff_id))


def _add_doing(routes: APIRouter, gate: Gate, service: HandoffService) -> None:
    @routes.post("/handoffs/{handoff_id}/claim")
    async def claim_handoff(
        handoff_id: str, person: Answerer, event_id: EventId = None, held_by: HeldBy = None
    ) -> HandoffItem:
        """Take it, also from a colleague."""
        key = _build_event_key(event_id)
        done = await service.claim(gate.tenant, handoff_id, person.email, key, held_by=held_by)
        return HandoffItem.model_validate(done)

    @routes.post("/handoffs/{handoff_id}/replies", status_code=201)
    async def send_reply(
        handoff_id: str, body: ReplyBody, person: Answerer, event_id: EventId = None, held_by: HeldBy = None
    ) -> MessageItem:
        """Answer the customer, wherever they are."""
        said = await service.reply(
            gate.tenant, handoff_id, body.text, person.email, desk=DESK, event_id=event_id, held_by=held_by
        )
        return MessageItem.model_validate(said)

    @routes.post("/handoffs/{handoff_id}/notes", status_code=204)
    async def add_note(handoff_id: str, body: ReplyBody, person: Answerer, event_id: EventId = None) -> None:
        """A remark that the customer does not see."""
        await service.note(gate.tenant, handoff_id, body.text, person.email, _build_event_key(event_id))

    @routes.post("/handoffs/{handoff_id}/return")
    async def give_back(handoff_id: str, person: Answerer, event_id: EventId = None) -> HandoffItem:
        """Let the bot go on."""
        done = await service.give_back(gate.tenant, handoff_id, person.email, _build_event_key(event_id))
        return HandoffItem.model_validate(done)

    @routes.post("/handoffs/{handoff_id}/closure")
    async def close_handoff(
        handoff_id: str, body: ClosureBody, person: Answerer, event_id: EventId = None
    ) -> HandoffItem:
        """It is done, and so is the conversation."""
        key = _build_event_key(event_id)
        done = await service.close(gate.tenant, handoff_id, person.email, resolved=body.resolved, event_id=key)
        return HandoffItem.model_validate(done)

    @routes.post("/conversations/{conversation_id}/takeover")
    async def take_over(
        conversation_id: str, person: Answerer, event_id: EventId = None, held_by: HeldBy = None
    ) -> HandoffItem:
        """Step in without having been asked."""
        key = _build_event_key(event_id)
        done = await service.take_over(gate.tenant, conversation_id, person.email, key, held_by=held_by)
        return HandoffItem.model_validate(done)


def _add_settings(routes: APIRouter, gate: Gate) -> None:
    @routes.get("/handoff-settings")
    async def get_handoff_settings(_: Viewer) -> settings.Handoffs:
        """When the bot steps back, and who is there."""
        return await gate.database.run(lambda session: settings.get_handoff_settings(session, gate.tenant))

    @routes.patch("/handoff-settings")
    async def update_handoff_settings(changes: dict[str, Any], person: Admin) -> settings.Handoffs:
        """Set some; the others stay."""
        return await gate.database.run(
            lambda session: settings.update_handoff_settings(session, gate.tenant, changes, person.email)
        )


def _build_event_key(event_id: str | None) -> str | None:
    return event_id and f"{DESK}:{event_id}"
