"""Whose customer is talking."""

from __future__ import annotations

from rasa_sdk import Tracker


def tenant_of(tracker: Tracker) -> str:
    """The tenant that ``app`` named with the message."""
    metadata = tracker.latest_message.get("metadata") or {}
    return str(metadata.get("tenant_id", "default"))
