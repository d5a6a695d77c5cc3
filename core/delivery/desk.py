"""Where staff see handoffs and answer: the contract, its way into the outbox, and the inbox of the console."""

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
    """One place where staff work. Every call may raise what ``core.delivery.payload.Sender`` raises.

    A call may come again after it was cut off (``outgoing.maybe_sent``); ``outgoing.thread`` is None until an alert
    gave one back.
    """

    async def alert(self, outgoing: Outgoing) -> Thread | None:
        """A person is wanted, still is, or somebody else is called (``outgoing.event``: request, remind, escalate).

        Gives back the thread that it opened, where the desk has threads.
        """
        ...

    async def forward(self, outgoing: Outgoing) -> str | None:
        """Somebody said something (``outgoing.message``); the vendor's id of it."""
        ...

    async def update(self, outgoing: Outgoing) -> str | None:
        """The handoff changed (``outgoing.event``, ``outgoing.handoff``); the vendor's id of what was shown."""
        ...


@dataclass(frozen=True)
class DeskSender:
    """Makes a desk a destination of the outbox, and remembers its threads."""

    desk: Desk
    database: Database

    async def send(self, outgoing: Outgoing) -> Sent:
        """By its kind.

        Raises:
            Permanent: it is about no handoff.
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
    """Remember where a desk shows a handoff.

    Raises:
        Conflict: it is shown elsewhere already.
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
    """The inbox of the console reads the database; it is only told that there is something new."""

    hub: Hub

    async def alert(self, outgoing: Outgoing) -> None:
        """Tell the inbox, and who watches the conversation."""
        self._publish_handoff_change(outgoing)

    async def update(self, outgoing: Outgoing) -> None:
        self._publish_handoff_change(outgoing)

    async def forward(self, outgoing: Outgoing) -> None:
        """Tell the inbox what was said."""
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
    """What was said outside a turn, for who watches the conversation; a browser fetches the rest when it comes back."""

    hub: Hub

    async def send(self, outgoing: Outgoing) -> Sent:
        """Tell the watchers; a message that they have seen is left out by its number."""
        if outgoing.message:
            self.hub.publish(outgoing.conversation_id, outgoing.message)
        return Sent(once=True)
