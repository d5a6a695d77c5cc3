"""The contract of a channel: verify who speaks, parse what was said, say what it can show, send what we answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from connectors.base.outbound import Capabilities, Outbound, outbound_of
from core.conversations.inbox import Inbound
from core.delivery.payload import Outgoing, Sent

__all__ = ["Capabilities", "Channel", "Inbound", "Outbound", "Outgoing", "RawRequest", "Sent", "outbound_of"]

Sender = TypeVar("Sender")


@dataclass(frozen=True)
class RawRequest:
    """What one HTTP request brought, untouched: signatures are made over bytes and headers as they came."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    url: str = ""
    """As the vendor called it, from outside: some sign it."""


class Channel(Protocol[Sender]):
    """One way in which customers reach us; ``Sender`` is what it knows about who speaks."""

    name: str
    """Stored with every conversation, such as "web"; the destination of its deliveries."""

    def verify(self, request: RawRequest) -> Sender:
        """Who sent this. Nothing of the body is trusted before.

        Raises:
            Unauthorised: the token or signature is missing or wrong.
        """
        ...

    def parse(self, sender: Sender, request: RawRequest) -> Sequence[Inbound]:
        """The messages in it; none where it carries only receipts.

        Raises:
            InvalidInput: it cannot be read; says why.
        """
        ...


class Outlet(Protocol):
    """The way out of a channel that calls its vendor (``core.delivery.payload.Sender``)."""

    capabilities: Capabilities

    async def send(self, outgoing: Outgoing) -> Sent:
        """Send it, or the part that is due: ``outbound_of(outgoing.message)`` rendered for this vendor.

        Raises:
            Retry: not now.
            Permanent: never.
            Unknown: it may have been taken.
        """
        ...
