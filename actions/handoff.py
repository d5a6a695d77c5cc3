"""Passes a customer on to a person."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.reply import Note, say


class ActionHandoff(Action):
    """Notes the wish with the turn, and says how the team is reached."""

    def __init__(self, support_email: str) -> None:
        self._support_email = support_email

    def name(self) -> str:
        """As in ``domain.yml``."""
        return "action_handoff"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say so."""
        say(dispatcher, Note(outcome="handoff"), response="utter_handoff", support_email=self._support_email)
        return []
