"""What the web channel needs to know, without the settings it comes from."""

from __future__ import annotations

from dataclasses import dataclass

_BYTES_PER_CHARACTER = 12
"""The most that JSON takes for one character: an escaped surrogate pair."""
_ROOM_FOR_THE_REST = 4096


@dataclass(frozen=True)
class WebConfig:
    """Limits and keys of the web channel."""

    tenant: str
    secret: str
    allowed_origins: frozenset[str] = frozenset()
    """Origins such as https://shop.example; the one that serves us is always allowed."""
    session_seconds: int = 30 * 24 * 3600
    messages_per_minute: int = 30
    requests_per_minute_per_address: int = 600
    """Of all sessions behind one client address together: whole offices share one."""
    sessions_per_minute_per_address: int = 120
    max_message_chars: int = 4000
    heartbeat_seconds: float = 15
    whatsapp: bool = False
    """Conversations can go on there."""

    @property
    def max_body_bytes(self) -> int:
        """Above this a body is refused unread."""
        return self.max_message_chars * _BYTES_PER_CHARACTER + _ROOM_FOR_THE_REST
