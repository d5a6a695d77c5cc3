"""Reads tenant and language from a message's metadata."""

from __future__ import annotations

from rasa_sdk import Tracker


def tenant_of(tracker: Tracker) -> str:
    """Return the tenant that ``app`` sent with the message."""
    metadata = tracker.latest_message.get("metadata") or {}
    return str(metadata.get("tenant_id", "default"))


def language_of(tracker: Tracker) -> str:
    """Return the conversation's language as sent by ``app``, or ""."""
    metadata = tracker.latest_message.get("metadata") or {}
    return str(metadata.get("language") or tracker.slots.get("language") or "")
