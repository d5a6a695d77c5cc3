"""The event stream of a conversation: missed messages first, then live events, without duplicates or gaps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import asdict, dataclass, replace

from sse_starlette import ServerSentEvent

from core.conversations.turns import Turns
from core.errors import InvalidInput
from core.events import (
    AgentTyping,
    Chunk,
    Citable,
    DraftEvent,
    Estimate,
    Event,
    HandoffChanged,
    Hub,
    MessageStored,
    TurnEnded,
    Typing,
)
from core.handoffs.customer_status import BOT

_NAMES: dict[type[Event], str] = {
    Typing: "typing",
    Estimate: "estimate",
    Citable: "sources",
    Chunk: "chunk",
    DraftEvent: "draft",
    TurnEnded: "ended",
    HandoffChanged: "handoff",
    AgentTyping: "agent_typing",
}

Render = Callable[[MessageStored], dict[str, object]]


@dataclass(frozen=True)
class Stream:
    """Streams conversations to browsers."""

    turns: Turns
    hub: Hub
    render: Render

    async def follow(self, conversation_id: str, after: int) -> AsyncGenerator[ServerSentEvent]:
        """Yield the stored messages above ``after``, then events as they happen.

        The first item is a comment, sent once the subscription has begun and the history is read. Awaiting it reveals a missing
        conversation before any byte is sent.
        """
        with self.hub.watch(conversation_id) as queue:
            missed = await self.turns.history(conversation_id, after)
            yield ServerSentEvent(comment="open")
            sent = {message.seq for message in missed}
            for message in missed:
                yield self._render_message(message)
            if (await self.turns.standing(conversation_id)).state != BOT:
                yield await self._render_customer_status(conversation_id)
            async for event in self._stream_live_events(conversation_id, queue, sent, after):
                yield event

    async def _stream_live_events(
        self, conversation_id: str, queue: asyncio.Queue[Event], sent: set[int], after: int
    ) -> AsyncGenerator[ServerSentEvent]:
        while True:
            event = await queue.get()
            if not isinstance(event, MessageStored):
                yield await self._render_event(event)
                continue
            newest = max(sent, default=after)
            skipped = event.seq > newest + 1
            fresh = await self.turns.history(conversation_id, newest) if skipped else []
            for message in [*fresh, event]:
                if message.seq > after and message.seq not in sent:
                    sent.add(message.seq)
                    yield self._render_message(message)

    async def _render_event(self, event: Event) -> ServerSentEvent:
        if isinstance(event, HandoffChanged):
            return await self._render_customer_status(event.conversation_id, event.state)
        return ServerSentEvent(json.dumps(asdict(event)), event=_NAMES[type(event)])

    async def _render_customer_status(self, conversation_id: str, ended: str | None = None) -> ServerSentEvent:
        """Render whom the customer is talking to; the end of a handoff is reported once, as it ends."""
        now = await self.turns.standing(conversation_id)
        told = replace(now, state=ended) if ended and now.state == BOT else now
        return ServerSentEvent(json.dumps(asdict(told)), event=_NAMES[HandoffChanged])

    def _render_message(self, message: MessageStored) -> ServerSentEvent:
        return ServerSentEvent(json.dumps(self.render(message)), event="message", id=str(message.seq))


def last_event_id(value: str | None) -> int:
    """Return the message number after which to resume; 0, the beginning, if there is none.

    Raises:
        InvalidInput: the value is not a number issued by this server.
    """
    if not value:
        return 0
    if not value.isascii() or not value.isdigit() or len(value) > 18:  # noqa: PLR2004 - fits 64 bits
        raise InvalidInput("Last-Event-ID is not a number that came from here.")
    return int(value)
