"""The properties in which Twilio's channels differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connectors.base import Capabilities


@dataclass(frozen=True)
class Kind:
    name: str
    """Destination name in the outbox."""
    prefix: str
    """Prefix of phone numbers in Twilio's addresses."""
    capabilities: Capabilities
    window_hours: int | None
    """Hours after the customer's last message during which free-form messages are allowed; None means always."""
    per_second: float
    """Maximum message rate of a sending number; Twilio's default."""


@dataclass(frozen=True)
class TwilioConfig:
    """A Twilio account and its numbers."""

    tenant: str
    account_sid: str
    auth_token: str = field(repr=False)
    numbers: Mapping[str, str]
    """Channel -> our number there, such as "+14155238886"."""
    home: Path
    """Customer files are stored in its folder `media`."""
    secret: str = field(repr=False)
    """Key that signs links to files."""
    public_address: str = ""
    """The public URL that Twilio calls, such as https://chat.shop.example; if empty, no status callbacks and no outgoing files."""
    api_url: str = ""
    """Replaces Twilio's own addresses: a proxy or a fake."""
    messages_per_minute: int = 30
    """Rate limit per customer."""
    media_bytes: int = 16 * 1024 * 1024
