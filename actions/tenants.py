"""Whose customer is talking, and in which language."""

from __future__ import annotations

from rasa_sdk import Tracker


def tenant_of(tracker: Tracker) -> str:
    """The tenant that ``app`` named with the message."""
    metadata = tracker.latest_message.get("metadata") or {}
    return str(metadata.get("tenant_id", "default"))


def language_of(tracker: Tracker) -> str:
    """That of the conversation, as ``app`` named it with the message; empty where it did not."""
    metadata = tracker.latest_message.get("metadata") or {}
    return str(metadata.get("language") or tracker.slots.get("language") or "")
