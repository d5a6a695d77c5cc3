"""The settings that reach the web channel."""

from __future__ import annotations

from connectors.web.access import web_config
from core.settings import Settings


def test_every_limit_of_the_settings_is_kept(settings: Settings):
    changed = settings.model_copy(
        update={
            "tenant": "acme",
            "allowed_origins": ["https://shop.example"],
            "session_days": 2,
            "messages_per_minute": 7,
            "max_message_chars": 500,
        }
    )
    config = web_config(changed)
    assert (config.tenant, config.allowed_origins) == ("acme", frozenset({"https://shop.example"}))
    assert (config.session_seconds, config.messages_per_minute, config.max_message_chars) == (172_800, 7, 500)
    assert config.secret != changed.secret_key()
