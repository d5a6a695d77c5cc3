"""What happens in a conversation, told to whoever watches it in this process.

Only a stored message has a number (``seq``); typing and chunks are passing, so a watcher that comes back needs nothing
but the last number it saw.
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
    """A message that is stored, as the customer may see it."""

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
    """A thumb can be given on it: the last message of an answer."""
    helpful: bool | None = None
    """The thumb that was given."""
    author: str | None = None
    """Who of the staff said it."""
    attachments: tuple[dict[str, object], ...] = ()
    """As ``core.attachments`` says."""


@dataclass(frozen=True)
class Typing:
    """The bot began to work on a turn."""

    turn_id: str


@dataclass(frozen=True)
class Chunk:
    """A piece of an answer that is being written; the stored message replaces all of it."""

    turn_id: str
    text: str


@dataclass(frozen=True)
class DraftEvent:
    """All of the answer so far, anew: it replaces every chunk before it."""

    turn_id: str
    text: str


@dataclass(frozen=True)
class Estimate:
    """A model was asked; so many seconds are usual until its answer is whole, where that is known."""

    turn_id: str
    seconds: float | None


@dataclass(frozen=True)
class Citable:
    """What the answer being written may cite: "[1]" in its text is the first of these."""

    turn_id: str
    sources: tuple[dict[str, str | None], ...]


@dataclass(frozen=True)
class TurnEnded:
    """A turn was answered, or failed with an apology."""

    turn_id: str
    outcome: str | None


@dataclass(frozen=True)
class HandoffChanged:
    """A handoff has another state; told to the conversation's watchers and to the inbox of its tenant's staff."""

    handoff_id: str
    conversation_id: str
    state: str
    claimed_by: str | None = None


@dataclass(frozen=True)
class Forwarded:
    """Something was said while a person has the word; told to the inbox of the tenant's staff."""

    handoff_id: str
    conversation_id: str
    message: MessageStored


@dataclass(frozen=True)
class AgentTyping:
    """One of the staff is writing; told to the conversation's watchers for as long as it goes on, every few seconds."""


@dataclass(frozen=True)
class CustomerTyping:
    """The customer is writing while a person has the word; told to the inbox of the tenant's staff."""

    conversation_id: str


@dataclass(frozen=True)
class DraftViewer:
    """One of the staff who looks at a handoff."""

    email: str
    name: str
    typing: bool = False


@dataclass(frozen=True)
class Present:
    """Who of the staff looks at a handoff now; told to their inbox when that changes."""

    handoff_id: str
    viewers: tuple[DraftViewer, ...]


Event = (
    MessageStored | Typing | Chunk | DraftEvent | Estimate | Citable | TurnEnded
    | HandoffChanged | Forwarded | AgentTyping | CustomerTyping | Present
)  # fmt: skip


def inbox_of(tenant_id: str) -> str:
    """What the inbox of a tenant's staff watches, in place of a conversation's id."""
    return f"inbox of {tenant_id}"


@dataclass
class Hub:
    """Hands events to the watchers of a conversation."""

    _watchers: dict[str, set[asyncio.Queue[Event]]] = field(default_factory=lambda: defaultdict(set))
    _stops: dict[str, asyncio.Event] = field(default_factory=dict)

    def publish(self, conversation_id: str, event: Event) -> None:
        """Tell every watcher; without one it is a no-op."""
        for queue in self._watchers.get(conversation_id, ()):
            queue.put_nowait(event)

    @contextmanager
    def stoppable(self, conversation_id: str) -> Iterator[asyncio.Event]:
        """An event that is set when the customer asks to stop writing."""
        stop = self._stops[conversation_id] = asyncio.Event()
        try:
            yield stop
        finally:
            if self._stops.get(conversation_id) is stop:
                del self._stops[conversation_id]

    def stop(self, conversation_id: str) -> bool:
        """Ask to stop writing; False where nothing is being written."""
        stop = self._stops.get(conversation_id)
        if stop:
            stop.set()
        return stop is not None

    def watched(self, conversation_id: str) -> bool:
        """Is anyone looking? An answer is streamed only then."""
        return bool(self._watchers.get(conversation_id))

    @contextmanager
    def watch(self, *watched: str) -> Iterator[asyncio.Queue[Event]]:
        """Events of these from now on; read what is stored after entering, so that nothing falls in between."""
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
