"""All senders by destination; register new channels and desks here."""

from __future__ import annotations

from core.db import Database
from core.delivery.desk import ConsoleDesk, DeskSender, WebSender
from core.delivery.payload import Sender
from core.events import Hub


def make_senders(database: Database, hub: Hub) -> dict[str, Sender]:
    """Return the channels to customers and the desks for staff."""
    return {
        "web": WebSender(hub),
        "console": DeskSender(ConsoleDesk(hub), database),
    }
