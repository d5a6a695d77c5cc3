"""Desks, where staff see and answer handoffs: the protocol, its outbox sender, and the console's inbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from core.db import Database
from core.db.models import DeskThread, Handoff
from core.delivery.payload import Outgoing, Sent
from core.errors import Conflict, Permanent
from core.events import Forwarded, HandoffChanged, Hub, inbox_of
from core.handoffs.staff.views import Thread, thread_of


class Desk(Protocol):
    """A place where staff work. Every method may raise what ``core.delivery.payload.Sender`` raises.

    A call may be repeated after an interruption (``outgoing.maybe_sent``); ``outgoing.thread`` is None until an alert
    has returned one.
    """

    async def alert(self, outgoing: Outgoing) -> Thread | None:
        """Alert staff to a handoff that is requested, pending or escalated (``outgoing.event``: request, remind, escalate).

        Return the thread that it opened, if the desk has threads.
        """
        ...

    async def forward(self, outgoing: Outgoing) -> str | None:
        """Show a message of the conversation (``outgoing.message``); return the vendor's id of it."""
        ...

    async def update(self, outgoing: Outgoing) -> str | None:
        """Show a change of the handoff (``outgoing.event``, ``outgoing.handoff``); return the vendor's id of the post."""
        ...


@dataclass(frozen=True)
class DeskSender:
    """Adapts a desk to a destination of the outbox, and stores its threads."""

    desk: Desk
    database: Database

    async def send(self, outgoing: Outgoing) -> Sent:
        """Call the desk's method for the kind of delivery.

        Raises:
            Permanent: the delivery belongs to no handoff.
        """
        if outgoing.handoff is None:
            raise Permanent("a desk takes only what belongs to a handoff")
        if outgoing.kind == "message":
            return Sent(await self.desk.forward(outgoing))
        if outgoing.kind == "update":
            return Sent(await self.desk.update(outgoing))
        thread = await self.desk.alert(outgoing)
        if thread and thread != outgoing.thread:
            handoff_id = outgoing.handoff.id
            await self.database.run(lambda session: keep_thread(session, handoff_id, outgoing.destination, thread))
        return Sent(thread.thread if thread else None)


def keep_thread(session: Session, handoff_id: str, desk: str, thread: Thread) -> None:
    """Store the thread in which a desk shows a handoff.

    Raises:
        Conflict: the desk already shows it in another thread.
    """
    known = thread_of(session, handoff_id, desk)
    if known and known != thread:
        raise Conflict("This handoff has a thread there already.")
    if known is None:
        handoff = session.get_one(Handoff, handoff_id)
        row = DeskThread(tenant_id=handoff.tenant_id, handoff_id=handoff_id, desk=desk)
        row.workspace, row.channel, row.thread = thread.workspace, thread.channel, thread.thread
        session.add(row)


@dataclass(frozen=True)
class ConsoleDesk:
    """The console's inbox, which reads the database and is only notified of changes."""

    hub: Hub

    async def alert(self, outgoing: Outgoing) -> None:
        """Notify the inbox and the conversation's watchers."""
        self._publish_handoff_change(outgoing)

    async def update(self, outgoing: Outgoing) -> None:
        self._publish_handoff_change(outgoing)

    async def forward(self, outgoing: Outgoing) -> None:
        """Notify the inbox of a message."""
        if outgoing.handoff and outgoing.message:
            event = Forwarded(outgoing.handoff.id, outgoing.conversation_id, outgoing.message)
            self.hub.publish(inbox_of(outgoing.tenant_id), event)

    def _publish_handoff_change(self, outgoing: Outgoing) -> None:
        if handoff := outgoing.handoff:
            event = HandoffChanged(handoff.id, outgoing.conversation_id, handoff.state, handoff.claimed_by)
            for watched in (inbox_of(outgoing.tenant_id), outgoing.conversation_id):
                self.hub.publish(watched, event)


@dataclass(frozen=True)
class WebSender:
    """Publishes messages outside a turn to the conversation's watchers; a browser fetches missed ones when it reconnects."""

    hub: Hub

    async def send(self, outgoing: Outgoing) -> Sent:
        """Publish the message; watchers skip one that they have seen, by its number."""
        if outgoing.message:
            self.hub.publish(outgoing.conversation_id, outgoing.message)
        return Sent(once=True)
