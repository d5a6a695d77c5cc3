"""Leaves whatever was going on."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.reply import Note, say


class ActionStop(Action):
    """Says so, and forgets what the form that was left had asked for."""

    def name(self) -> str:
        """As in ``domain.yml``."""
        return "rejoinder_stop"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Of any skill's form."""
        say(dispatcher, Note(outcome="action"), response="utter_stopped")
        return [SlotSet(slot, None) for slot in _slots_of_last_form(tracker, domain)]


def _slots_of_last_form(tracker: Tracker, domain: dict[str, Any]) -> list[str]:
    forms = (event.get("name") for event in reversed(tracker.events) if event.get("event") == "active_loop")
    last = next((form for form in forms if form), None)
    found = (domain.get("forms") or {}).get(last) or {}
    return list(found.get("required_slots") or ())
