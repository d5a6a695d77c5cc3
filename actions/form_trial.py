"""Actions for trying out forms: values are validated as for customers, and nothing else is executed."""

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
    """Replaces an action that would have side effects, or that runs elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name

    def name(self) -> str:
        """Return the name of the replaced action."""
        return self._name

    async def run(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Send the action's name; validation actions accept every value and send nothing."""
        if not self._name.startswith(CHECKS):
            dispatcher.utter_message(text=self._name)
        return []


def checking_executor(parts: BotParts, database: Database, elsewhere: Collection[str] = ()) -> ActionExecutor:
    """Create an executor for trying out a bot's forms.

    The skills' validation actions are real; all other actions are stand-ins, except validation actions in ``elsewhere``.

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
