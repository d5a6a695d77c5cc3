"""The channel contract: verify the sender, parse the messages, declare the capabilities, send the replies."""

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
    """An unmodified HTTP request; signatures are computed over the original bytes and headers."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Header names are in lower case."""
    body: bytes = b""
    url: str = ""
    """The public URL that the vendor called; some vendors sign it."""


class Channel(Protocol[Sender]):
    """A way for customers to reach the bot; ``Sender`` is what the channel knows about the sender."""

    name: str
    """Stored with every conversation, such as "web", and used as the destination of its deliveries."""

    def verify(self, request: RawRequest) -> Sender:
        """Authenticate a request and return its sender; nothing in the body is trusted before this.

        Raises:
            Unauthorised: the token or signature is missing or wrong.
        """
        ...

    def parse(self, sender: Sender, request: RawRequest) -> Sequence[Inbound]:
        """Return the messages of a request; empty if it carries only receipts.

        Raises:
            InvalidInput: the request cannot be read; the message gives the reason.
        """
        ...


class Outlet(Protocol):
    """The outgoing side of a channel that calls its vendor's API (``core.delivery.payload.Sender``)."""

    capabilities: Capabilities

    async def send(self, outgoing: Outgoing) -> Sent:
        """Send a message, or the part that is due: ``outbound_of(outgoing.message)`` rendered for this vendor.

        Raises:
            Retry: sending failed for now and can be retried.
            Permanent: the message can never be sent.
            Unknown: the vendor may have accepted the message.
        """
        ...
