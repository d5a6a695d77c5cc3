"""Buttons for known questions; they carry the id of the entry, not its text."""

from __future__ import annotations

import json

from rasa_sdk import Tracker

from actions.reply import Button

INTENT = "ask_entry"
ENTITY = "entry"


def entry_button(title: str, entry_id: str) -> Button:
    """Create a button that asks for exactly this entry."""
    return Button(title, f"/{INTENT}{json.dumps({ENTITY: entry_id})}")


def pressed_entry(tracker: Tracker) -> str | None:
    """Return the entry whose button was pressed, or None; only buttons that we issued can send one."""
    latest = tracker.latest_message
    if (latest.get("intent") or {}).get("name") != INTENT:
        return None
    found = [each["value"] for each in latest.get("entities") or [] if each.get("entity") == ENTITY]
    return str(found[0]) if found else None
