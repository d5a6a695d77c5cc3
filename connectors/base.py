"""What every channel does: verify who speaks, parse what was said, render what we answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from core.events import MessageStored
from core.turns import Inbound

Sender = TypeVar("Sender")


@dataclass(frozen=True)
class Delivery:
    """What one HTTP request brought, untouched: signatures are made over bytes and headers as they came."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""


class Channel(Protocol[Sender]):
    """One way in which customers reach us; ``Sender`` is what it knows about who speaks."""

    name: str
    """Stored with every conversation, such as "web"."""

    def verify(self, delivery: Delivery) -> Sender:
        """Who sent this. Nothing of the body is trusted before.

        Raises:
            Unauthorised: the token or signature is missing or wrong.
        """
        ...

    def parse(self, sender: Sender, delivery: Delivery) -> Sequence[Inbound]:
        """The messages in it; none where it carries only receipts.

        Raises:
            InvalidInput: it cannot be read; says why.
        """
        ...

    def render(self, message: MessageStored) -> Mapping[str, object]:
        """The message in the words of this channel, ready to become JSON."""
        ...
