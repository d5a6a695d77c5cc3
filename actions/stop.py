"""Stops the active form."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.reply import Note, send_reply


class ActionStop(Action):
    """Confirms the stop, and resets the slots of the stopped form."""

    def name(self) -> str:
        return "rejoinder_stop"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Stop the active form of any skill."""
        form = _form_before(tracker)
        send_reply(dispatcher, Note(outcome="action"), response="utter_stopped" if form else "utter_nothing_to_stop")
        slots = ((domain.get("forms") or {}).get(form) or {}).get("required_slots") if form else None
        return [SlotSet(slot, None) for slot in slots or ()]


def _form_before(tracker: Tracker) -> str | None:
    """Return the form that was active when the customer wrote."""
    said = max((at for at, event in enumerate(tracker.events) if event.get("event") == "user"), default=0)
    forms = [event.get("name") for event in tracker.events[:said] if event.get("event") == "active_loop"]
    return forms[-1] if forms else None
