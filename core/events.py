"""Events of a conversation, published to its watchers in this process.

Only stored messages have a number (``seq``). Typing events and chunks are transient, so a watcher that reconnects needs
only the last number it saw.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class MessageStored:
    """A stored message as the customer may see it."""

    id: str
    seq: int
    speaker: str
    text: str
    created_at: datetime
    buttons: tuple[str, ...] = ()
    """Titles; pressing one sends (message id, index)."""
    sources: tuple[dict[str, str | None], ...] = ()
    client_id: str | None = None
    turn_id: str | None = None
    rateable: bool = False
    """Whether it can be rated: the last message of an answer."""
    helpful: bool | None = None
    """The customer's rating, if any."""
    author: str | None = None
    """The agent who wrote it."""
    attachments: tuple[dict[str, object], ...] = ()
    """See ``core.attachments`` for the format."""


@dataclass(frozen=True)
class Typing:
    """The bot started to work on a turn."""

    turn_id: str


@dataclass(frozen=True)
class Chunk:
    """A piece of an answer in progress; the stored message replaces all pieces."""

    turn_id: str
    text: str


@dataclass(frozen=True)
class DraftEvent:
    """The whole answer so far; it replaces all earlier chunks."""

    turn_id: str
    text: str


@dataclass(frozen=True)
class Estimate:
    """A model was called; ``seconds`` is the usual time until its answer is complete, if known."""

    turn_id: str
    seconds: float | None


@dataclass(frozen=True)
class Citable:
    """The sources that the answer in progress may cite; "[1]" in its text is the first one."""

    turn_id: str
    sources: tuple[dict[str, str | None], ...]


@dataclass(frozen=True)
class TurnEnded:
    """A turn was answered, or failed with an apology."""

    turn_id: str
    outcome: str | None


@dataclass(frozen=True)
class HandoffChanged:
    """A handoff changed; published to the conversation's watchers and to the tenant's staff inbox."""

    handoff_id: str
    conversation_id: str
    state: str
    claimed_by: str | None = None


@dataclass(frozen=True)
class Forwarded:
    """A message was stored while an agent owns the conversation; published to the tenant's staff inbox."""

    handoff_id: str
    conversation_id: str
    message: MessageStored


@dataclass(frozen=True)
class AgentTyping:
    """An agent is typing; published to the conversation's watchers every few seconds while it lasts."""


@dataclass(frozen=True)
class CustomerTyping:
    """The customer is typing while an agent owns the conversation; published to the tenant's staff inbox."""

    conversation_id: str


@dataclass(frozen=True)
class DraftViewer:
    """An agent who is viewing a handoff."""

    email: str
    name: str
    typing: bool = False


@dataclass(frozen=True)
class Present:
    """The current viewers of a handoff; published to the staff inbox when they change."""

    handoff_id: str
    viewers: tuple[DraftViewer, ...]


Event = (
    MessageStored | Typing | Chunk | DraftEvent | Estimate | Citable | TurnEnded
    | HandoffChanged | Forwarded | AgentTyping | CustomerTyping | Present
)  # fmt: skip


def inbox_of(tenant_id: str) -> str:
    """Return the key that a tenant's staff inbox watches, in place of a conversation id."""
    return f"inbox of {tenant_id}"


@dataclass
class Hub:
    """Publishes events to the watchers of a conversation."""

    _watchers: dict[str, set[asyncio.Queue[Event]]] = field(default_factory=lambda: defaultdict(set))
    _stops: dict[str, asyncio.Event] = field(default_factory=dict)

    def publish(self, conversation_id: str, event: Event) -> None:
        """Send an event to every watcher, if there is any."""
        for queue in self._watchers.get(conversation_id, ()):
            queue.put_nowait(event)

    @contextmanager
    def stoppable(self, conversation_id: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set when the customer asks to stop the answer."""
        stop = self._stops[conversation_id] = asyncio.Event()
        try:
            yield stop
        finally:
            if self._stops.get(conversation_id) is stop:
                del self._stops[conversation_id]

    def stop(self, conversation_id: str) -> bool:
        """Ask to stop the answer in progress; return False if there is none."""
        stop = self._stops.get(conversation_id)
        if stop:
            stop.set()
        return stop is not None

    def watched(self, conversation_id: str) -> bool:
        """Whether the conversation has a watcher; an answer is streamed only then."""
        return bool(self._watchers.get(conversation_id))

    @contextmanager
    def watch(self, *watched: str) -> Iterator[asyncio.Queue[Event]]:
        """Yield a queue of new events; read stored messages after entering, to miss none in between."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        for each in watched:
            self._watchers[each].add(queue)
        try:
            yield queue
        finally:
            for each in watched:
                self._watchers[each].discard(queue)
                if not self._watchers[each]:
                    del self._watchers[each]
