"""Builds the web channel from the settings."""

from __future__ import annotations

from fastapi import APIRouter

from connectors.http.config import WebConfig
from connectors.web import routes, widget
from core.conversations.feedback import Feedback
from core.conversations.turns import Turns
from core.events import Hub
from core.secrets import derive_key
from core.settings import Settings

_SESSIONS_PER_ADDRESS = 20
"""How many busy customers one address may have."""


def web_config(settings: Settings) -> WebConfig:
    """The part of the settings that concerns the web channel."""
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


def make_web_channel(settings: Settings, turns: Turns, feedback: Feedback, hub: Hub) -> APIRouter:
    """The chat API and the widget's script, ready for ``app.include_router``."""
    router = routes.router(turns, feedback, hub, web_config(settings))
    router.include_router(widget.router(settings.bot().voice))
    return router
