"""Turns without a bot: the web channel's tests say themselves what is answered, and when."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from core.conversations.inbox import Inbound, Received, clean_message_text
from core.errors import InvalidInput, NotFound
from core.events import Chunk, Hub, MessageStored, TurnEnded, Typing
from core.feedback.surveys import SCORES, Ending
from core.handoffs.customer_status import CustomerStatus

Script = Callable[["FakeTurns", str, str, str], None]
"""What happens when something was said: (turns, conversation id, turn id, text)."""


@dataclass
class FakeTurns:
    """Keeps conversations in memory, by the same rules as the real ones."""

    hub: Hub = field(default_factory=Hub)
    limit: int = 4000
    conversations: dict[str, list[MessageStored]] = field(default_factory=dict)
    customers: dict[str, str | None] = field(default_factory=dict)
    standings: dict[str, CustomerStatus] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    surveys: list[str] = field(default_factory=list)
    """What is still to be asked once a conversation has ended."""
    marks: list[tuple[str, int | None, str | None]] = field(default_factory=list)
    ratings: list[tuple[str, bool, str | None]] = field(default_factory=list)
    received: list[Inbound] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    answering: Script | None = None
    failing: bool = False
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def open(self, tenant_id: str, channel: str, customer_id: str | None = None) -> str:
        conversation_id = f"c{next(self._numbers)}-{tenant_id}-{channel}"
        self.customers[conversation_id] = customer_id
        self.conversations[conversation_id] = []
        return conversation_id

    async def receive(self, inbound: Inbound) -> Received:
        if self.failing:
            raise RuntimeError("the disk is full")
        messages = self._messages(inbound.conversation_id)
        known = next((m for m in messages if m.client_id == inbound.client_id), None)
        if known:
            return Received(inbound.conversation_id, known.id, f"t-{known.id}", known.seq, new=False)
        text = clean_message_text(inbound.text, self.limit) if inbound.press is None else self._title(inbound)
        self.received.append(inbound)
        self.ended.discard(inbound.conversation_id)
        stored = self.say(inbound.conversation_id, text, speaker="customer", client_id=inbound.client_id)
        if self.answering:
            self.answering(self, inbound.conversation_id, f"t-{stored.id}", text)
        return Received(inbound.conversation_id, stored.id, f"t-{stored.id}", stored.seq, new=True)

    async def standing(self, conversation_id: str) -> CustomerStatus:
        return self.standings.get(conversation_id, CustomerStatus())

    async def history(self, conversation_id: str, after: int = 0) -> list[MessageStored]:
        return [message for message in self._messages(conversation_id) if message.seq > after]

    def stop_writing(self, conversation_id: str) -> bool:
        self.stopped.append(conversation_id)
        return self.hub.stop(conversation_id)

    def say(self, conversation_id: str, text: str, speaker: str = "bot", **more) -> MessageStored:
        """Store a message and tell the watchers."""
        messages = self._messages(conversation_id)
        message_id = f"m{next(self._numbers)}"
        message = MessageStored(message_id, len(messages) + 1, speaker, text, datetime.now(UTC), **more)
        messages.append(message)
        self.hub.publish(conversation_id, message)
        return message

    def answer(self, conversation_id: str, turn_id: str, *pieces: str, **more) -> MessageStored:
        """A whole streamed answer: typing, its pieces, the stored message, the end."""
        self.hub.publish(conversation_id, Typing(turn_id))
        for piece in pieces:
            self.hub.publish(conversation_id, Chunk(turn_id, piece))
        stored = self.say(conversation_id, "".join(pieces), turn_id=turn_id, **{"rateable": True} | more)
        self.hub.publish(conversation_id, TurnEnded(turn_id, "answered"))
        return stored

    def _messages(self, conversation_id: str) -> list[MessageStored]:
        if conversation_id not in self.conversations:
            raise NotFound("There is no such conversation.")
        return self.conversations[conversation_id]

    def _title(self, inbound: Inbound) -> str:
        offered = next((m for m in self._messages(inbound.conversation_id) if m.id == inbound.press.message_id), None)
        if offered is None or inbound.press.index >= len(offered.buttons):
            raise NotFound("There is no such button.")
        return offered.buttons[inbound.press.index]


@dataclass
class FakeFeedback:
    """Beside the fake turns, which keep what it is given."""

    turns: FakeTurns

    async def rate(
        self, conversation_id: str, message_id: str, *, helpful: bool, comment: str | None, source: str = "widget"
    ) -> None:
        messages = self.turns._messages(conversation_id)
        place = next((i for i, m in enumerate(messages) if m.id == message_id and m.rateable), None)
        if place is None:
            raise NotFound("There is no such answer.")
        messages[place] = replace(messages[place], helpful=helpful)
        self.turns.ratings.append((message_id, helpful, comment))

    async def end(self, conversation_id: str) -> Ending:
        self.turns.ended.add(conversation_id)
        return await self.ending(conversation_id)

    async def ending(self, conversation_id: str) -> Ending:
        self.turns._messages(conversation_id)
        closed = conversation_id in self.turns.ended
        return Ending(closed, self.turns.surveys[0] if closed and self.turns.surveys else None)

    async def answer(self, conversation_id: str, kind: str, score: int | None, comment: str | None) -> Ending:
        if self.turns.surveys[:1] != [kind]:
            raise NotFound("This was not asked.")
        if score is not None and score not in SCORES[kind]:
            raise InvalidInput("The mark is out of range.")
        self.turns.surveys.pop(0)
        self.turns.marks.append((kind, score, comment))
        return await self.ending(conversation_id)
