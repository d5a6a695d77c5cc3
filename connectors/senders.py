"""Every way out of the house, by the name of its destination: a new channel or desk adds its line here."""

from __future__ import annotations

from core.db import Database
from core.delivery.desk import ConsoleDesk, DeskSender, WebSender
from core.delivery.payload import Sender
from core.events import Hub


def make_senders(database: Database, hub: Hub) -> dict[str, Sender]:
    """Channels to customers, and desks for staff."""
    return {
        "web": WebSender(hub),
        "console": DeskSender(ConsoleDesk(hub), database),
    }
