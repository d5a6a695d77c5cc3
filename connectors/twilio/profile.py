"""What differs between the channels that Twilio carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connectors.base import Capabilities


@dataclass(frozen=True)
class Kind:
    name: str
    """Its destination in the outbox."""
    prefix: str
    """Before a number, as Twilio writes it."""
    capabilities: Capabilities
    window_hours: int | None
    """So long after the customer's last message we may write freely; None: always."""
    per_second: float
    """How many messages a sender's number may send, by Twilio's default."""


@dataclass(frozen=True)
class TwilioConfig:
    """An account and its numbers."""

    tenant: str
    account_sid: str
    auth_token: str = field(repr=False)
    numbers: Mapping[str, str]
    """Channel -> our number there, such as "+14155238886"."""
    home: Path
    """Files of customers lie in its folder `media`."""
    secret: str = field(repr=False)
    """Signs links to files."""
    public_address: str = ""
    """https://chat.shop.example, as Twilio reaches us; empty: no status callbacks, no files out."""
    api_url: str = ""
    """In place of Twilio's own addresses: a proxy, or a fake."""
    messages_per_minute: int = 30
    """Of one customer."""
    media_bytes: int = 16 * 1024 * 1024
