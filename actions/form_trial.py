"""The actions of a bot whose forms are tried out: values are checked as for customers, and nothing is done."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher

from actions.names import rename_action
from actions.skills import actions_of
from actions.stop import ActionStop
from actions.webhook import CHECKS
from core.bot.parts import BotParts
from core.db import Database


class StandIn(Action):
    """In place of an action that would do something, or that is run elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name

    def name(self) -> str:
        """That of the action."""
        return self._name

    async def run(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Say its name; a check finds every value right, and says nothing."""
        if not self._name.startswith(CHECKS):
            dispatcher.utter_message(text=self._name)
        return []


def checking_executor(parts: BotParts, database: Database, elsewhere: Collection[str] = ()) -> ActionExecutor:
    """What a bot's forms need to be tried out: the skills' checks as they are, stand-ins for the rest but for checks ``elsewhere``.

    Raises:
        SettingsInvalid: a skill's actions cannot be used.
    """
    made = [
        rename_action(ActionStop(), parts.names),
        *(action for skill in parts.skills for action in actions_of(skill, database)),
    ]
    real = {str(a.name()): a for a in made if str(a.name()).startswith(CHECKS) or a is made[0]}
    executor = ActionExecutor()
    for name in parts.actions():
        if name in elsewhere and name.startswith(CHECKS):
            continue
        executor.register_action(real.get(name) or StandIn(name))
    return executor
