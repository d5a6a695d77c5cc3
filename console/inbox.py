"""Services and event stream of the inbox, shared by its pages and the API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent

from core.events import CustomerTyping, Event, Forwarded, HandoffChanged, Hub, MessageStored, Present, inbox_of
from core.handoffs.service import HandoffService
from core.handoffs.staff.presence import Presence
from knowledge.answers.suggestions import Suggest

PING_SECONDS = 15
CHECK_SECONDS = 30.0
"""Seconds between checks that a stream's reader still has access."""


@dataclass(frozen=True)
class Inbox:
    """Services of the inbox, provided by the app."""

    handoffs: HandoffService
    hub: Hub
    presence: Presence
    suggest: Suggest
    home: Path
    """Folder below which attachments are stored."""

    def stream(self, tenant_id: str, conversation_id: str | None, allowed: Callable[[], Awaitable[bool]]) -> Any:
        """Stream the events of a tenant's inbox, and of one conversation if given, as server-sent events."""
        events = stream_inbox_events(self.hub, tenant_id, conversation_id, allowed)
        return EventSourceResponse(events, ping=PING_SECONDS, send_timeout=30)


async def stream_inbox_events(
    hub: Hub, tenant_id: str, conversation_id: str | None, allowed: Callable[[], Awaitable[bool]]
) -> AsyncGenerator[ServerSentEvent]:
    """Yield handoff, message, customer_typing and present events from now on, and ``over`` when access ends.

    Events are not repeated: a client that reconnects reads the list again.
    """
    checked = monotonic()
    with hub.watch(inbox_of(tenant_id), *([conversation_id] if conversation_id else [])) as queue:
        yield ServerSentEvent("{}", event="open")
        while True:
            event = await _wait_for_event(queue)
            if monotonic() - checked >= CHECK_SECONDS:
                if not await allowed():
                    yield ServerSentEvent("{}", event="over")
                    return
                checked = monotonic()
            if event and (shown := _render_event(event, conversation_id)):
                yield shown


async def _wait_for_event(queue: asyncio.Queue[Event]) -> Event | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await queue.get()
    except TimeoutError:
        return None


def _render_event(event: Event, conversation_id: str | None) -> ServerSentEvent | None:
    match event:
        case HandoffChanged():
            return _build_server_event("handoff", asdict(event))
        case Forwarded():
            return _build_server_event(
                "message", {"handoff_id": event.handoff_id, **_build_message_data(event.conversation_id, event.message)}
            )
        case MessageStored():
            return _build_server_event("message", {"handoff_id": None, **_build_message_data(conversation_id, event)})
        case CustomerTyping():
            return _build_server_event("customer_typing", asdict(event))
        case Present():
            return _build_server_event("present", asdict(event))
    return None


def _build_message_data(conversation_id: str | None, message: MessageStored) -> dict[str, Any]:
    same = ("id", "seq", "speaker", "author", "text")
    return {"conversation_id": conversation_id, **{name: getattr(message, name) for name in same}}


def _build_server_event(name: str, data: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(data), event=name)
