"""Asks what the customer meant, with the likeliest intents as buttons; questions are answered instead."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.reply import Button, Note, send_reply
from actions.tenants import language_of
from core.bot.languages import SLOT

CHOICES = 3
LEAST_LIKELY = 0.05
"""Intents less likely than this share of the likeliest one are not offered."""
UNCLEAR = "nlu_fallback"
TITLE = "utter_title_{intent}"
SOMETHING_ELSE = "/out_of_scope"
"""Goes to the knowledge base, which says so if it has no answer."""
QUESTION = "ask_knowledge"


class ActionClarify(Action):
    """Offers possible intents; an intent without a title in the domain is never offered."""

    def __init__(self, answer: Action) -> None:
        self._answer = answer

    def name(self) -> str:
        return "rejoinder_clarify"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Ask what was meant, with a way out; a likely question, or a message without possible intents, is handled directly."""
        ranking = tracker.latest_message.get("intent_ranking") or []
        titles = domain["responses"]
        least = LEAST_LIKELY * float(ranking[0]["confidence"]) if ranking else 0.0
        likely = [intent["name"] for intent in ranking if float(intent["confidence"]) >= least]
        offered = [name for name in likely if TITLE.format(intent=name) in titles]
        understood = (tracker.latest_message.get("intent") or {}).get("name")
        if not offered and understood not in (None, UNCLEAR):  # such as a yes without a question
            send_reply(dispatcher, Note(outcome="action"), response="utter_what_next")
            return []
        if not offered or ranking[0]["name"] == QUESTION:
            answered: list[dict[str, Any]] = await self._answer.run(dispatcher, tracker, domain)
            return answered
        language = language_of(tracker)
        buttons = [Button(_get_intent_title(titles, name, language), f"/{name}") for name in offered[:CHOICES]]
        buttons.append(Button(_get_intent_title(titles, "something_else", language), SOMETHING_ELSE))
        confidence = float(ranking[0]["confidence"]) if ranking else None
        send_reply(
            dispatcher,
            Note(outcome="clarified", confidence=confidence),
            response="utter_clarify",
            buttons=tuple(buttons),
        )
        return []


def _get_intent_title(responses: dict[str, Any], intent: str, language: str) -> str:
    texts = responses[TITLE.format(intent=intent)]
    return str(next((text for text in texts if _is_in_language(text, language)), texts[0])["text"])


def _is_in_language(text: dict[str, Any], language: str) -> bool:
    return any(each == {"type": "slot", "name": SLOT, "value": language} for each in text.get("condition") or ())
