"""Renames for the base's actions in an adopted bot, where the project already uses some names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher


class Renamed(Action):
    """Runs an action that knows only the base's names of responses and slots."""

    def __init__(self, action: Action, names: Mapping[str, str]) -> None:
        self._action, self._names = action, names

    def name(self) -> str:
        """Return the action's own name, which is unique."""
        return str(self._action.name())

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Run the action, translating names in its input and output."""
        tracker.slots |= {own: tracker.slots[there] for own, there in self._names.items() if there in tracker.slots}
        before = len(dispatcher.messages)
        events: list[dict[str, Any]] = await self._action.run(dispatcher, tracker, domain)
        for message in dispatcher.messages[before:]:
            for key in ("response", "template"):
                if message.get(key):
                    message[key] = self._names.get(message[key], message[key])
        return [
            {**event, "name": self._names.get(event["name"], event["name"])} if "name" in event else event
            for event in events
        ]


def rename_action(action: Action, names: Mapping[str, str]) -> Action:
    """Wrap the action, or return it unchanged if there are no names to translate."""
    return Renamed(action, names) if names else action
