"""Background tasks for handoffs in `app`: timed escalation, and a model's summary that replaces the extract."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.bot.texts import Texts
from core.db import Database
from core.db.models import Conversation, Handoff, HandoffTransition, get_current_time
from core.events import MessageStored
from core.handoffs import escalation
from core.handoffs.states import PERSON
from core.handoffs.transitions import HandoffEvent, apply_transition
from core.messages import messages_after

log = structlog.get_logger()
LOOK_SECONDS = 5.0
AT_ONCE = 10


class Summarise(Protocol):
    """Summarises a conversation in a few sentences for the agent who takes it over."""

    async def __call__(self, tenant_id: str, conversation_id: str, said: Sequence[MessageStored]) -> str | None:
        """Return the summary, or None if no model is available."""
        ...


@dataclass(frozen=True)
class _Due:
    tenant_id: str
    conversation_id: str
    handoff_id: str
    said: tuple[MessageStored, ...]


class HandoffWatch:
    """Polls the open handoffs every few seconds."""

    def __init__(
        self,
        database: Database,
        texts: Texts,
        wake: Callable[[], None],
        clock: Callable[[], datetime] = get_current_time,
        summarise: Summarise | None = None,
    ) -> None:
        """``wake`` is called when a delivery may be due in the outbox."""
        self._database, self._texts, self._wake, self._clock = database, texts, wake, clock
        self._summarise = summarise
        self._tried: set[str] = set()
        self._looking: asyncio.Task[None] | None = None

    async def tick(self) -> int:
        """Apply the reminders, escalations and timeouts that are due; return how many."""
        happened = await self._database.run(
            lambda session: escalation.apply_due_events(session, self._clock(), self._texts)
        )
        if happened:
            self._wake()
        return happened

    async def summarise(self) -> int:
        """Have a model summarise open handoffs that it has not summarised yet; return how many."""
        if self._summarise is None:
            return 0
        written = 0
        for due in await self._database.run(self._list_due_summaries):
            self._tried.add(due.handoff_id)
            if text := await self._summarise(due.tenant_id, due.conversation_id, due.said):
                written += await self._database.run(partial(_store_summary, due=due, text=text))
        if written:
            self._wake()
        return written

    async def start(self) -> None:
        self._looking = asyncio.create_task(self._for_ever())

    async def stop(self) -> None:
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _for_ever(self) -> None:
        while True:
            for look in (self.tick, self.summarise):
                try:
                    await look()
                except Exception:  # process boundary: the next poll may succeed
                    log.exception("waiting handoffs were not looked at")
            await asyncio.sleep(LOOK_SECONDS)

    def _list_due_summaries(self, session: Session) -> list[_Due]:
        done = select(HandoffTransition.handoff_id).where(HandoffTransition.event == "summarise")
        query = select(Handoff).where(Handoff.state.in_(PERSON), Handoff.id.not_in(done)).order_by(Handoff.id.desc())
        rows = [row for row in session.scalars(query.limit(AT_ONCE)) if row.id not in self._tried]
        return [
            _Due(row.tenant_id, row.conversation_id, row.id, tuple(messages_after(session, row.conversation_id, 0)))
            for row in rows
        ]


def _store_summary(session: Session, due: _Due, text: str) -> bool:
    """Store the summary, unless the handoff has ended; return whether it was stored."""
    conversation = Conversation.lock(session, due.conversation_id)
    if conversation is None or conversation.handoff_id != due.handoff_id:
        return False
    apply_transition(session, conversation, HandoffEvent("summarise", "bot", summary=text))
    return True
