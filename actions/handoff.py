"""Hands a customer over to a person."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.reply import Note, send_reply
from actions.tenants import tenant_of
from core.db import Database
from core.db.models import get_current_time
from core.handoffs import settings


class ActionHandoff(Action):
    """Stores the request with the turn, from which `app` creates the handoff and its announcement."""

    def __init__(self, database: Database, support_email: str) -> None:
        self._database = database
        self._support_email = support_email

    def name(self) -> str:
        return "rejoinder_handoff"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        chosen = await self._database.run(lambda session: settings.get_handoff_settings(session, tenant_of(tracker)))
        if not chosen.asked:
            response = "utter_handoff_by_email"
        else:
            response = "utter_handoff" if chosen.attended(get_current_time()) else "utter_handoff_nobody"
        send_reply(dispatcher, Note(outcome="handoff"), response=response, support_email=self._support_email)
        return []
