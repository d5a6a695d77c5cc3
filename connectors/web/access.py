"""Access control for the routes that browsers call, built from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from connectors.http.config import WebConfig
from connectors.http.cors import Origins
from connectors.http.limits import RateLimits
from connectors.web.channel import WebChannel
from connectors.web.tokens import SessionTokens
from core.secrets import derive_key
from core.settings import Settings

_SESSIONS_PER_ADDRESS = 20
"""Number of busy customers that one address may have."""


def web_config(settings: Settings) -> WebConfig:
    """Return the configuration of the web channel from the settings."""
    return WebConfig(
        tenant=settings.tenant,
        secret=derive_key(settings.secret_key(), "web"),
        allowed_origins=frozenset(settings.allowed_origins),
        session_seconds=settings.session_days * 24 * 3600,
        messages_per_minute=settings.messages_per_minute,
        requests_per_minute_per_address=settings.messages_per_minute * _SESSIONS_PER_ADDRESS,
        sessions_per_minute_per_address=settings.messages_per_minute * 4,
        max_message_chars=settings.max_message_chars,
        whatsapp=bool(settings.twilio_account_sid and settings.twilio_whatsapp_number),
    )


@dataclass(frozen=True)
class WebAccess:
    """Origin, token and rate checks shared by all routes that browsers call."""

    config: WebConfig

    @cached_property
    def channel(self) -> WebChannel:
        return WebChannel(SessionTokens(self.config.secret, self.config.tenant, self.config.session_seconds))

    @cached_property
    def origins(self) -> Origins:
        """The origins that may call."""
        return Origins(self.config.allowed_origins)

    @cached_property
    def limits(self) -> RateLimits:
        """Rate limits per session and client address."""
        return RateLimits(self.config)
