"""Configuration of the web channel, independent of where its settings come from."""

from __future__ import annotations

from dataclasses import dataclass

_BYTES_PER_CHARACTER = 12
"""Maximum bytes that JSON uses for one character: an escaped surrogate pair."""
_ROOM_FOR_THE_REST = 4096


@dataclass(frozen=True)
class WebConfig:
    """Limits and keys of the web channel."""

    tenant: str
    secret: str
    allowed_origins: frozenset[str] = frozenset()
    """Origins such as https://shop.example; the server's own origin is always allowed."""
    session_seconds: int = 30 * 24 * 3600
    messages_per_minute: int = 30
    requests_per_minute_per_address: int = 600
    """Shared by all sessions behind a client address, since a whole office may use one address."""
    sessions_per_minute_per_address: int = 120
    max_message_chars: int = 4000
    heartbeat_seconds: float = 15
    whatsapp: bool = False
    """Whether conversations can be transferred to WhatsApp."""

    @property
    def max_body_bytes(self) -> int:
        """Maximum body size; larger bodies are rejected unread."""
        return self.max_message_chars * _BYTES_PER_CHARACTER + _ROOM_FOR_THE_REST
