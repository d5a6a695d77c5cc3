"""Builds the actions with what they use."""

from __future__ import annotations

from rasa_sdk.executor import ActionExecutor

from actions.answer import ActionAnswer, Entries
from actions.clarify import ActionClarify
from actions.handoff import ActionHandoff
from actions.naming import renamed
from actions.skills import actions_of, check_named, check_unique
from actions.stop import ActionStop
from core.bot_parts import BotParts
from core.db import Database
from core.events import Hub
from core.settings import Settings
from core.texts import Texts
from knowledge.writing import Writer


def make_executor(  # noqa: PLR0917
    settings: Settings, parts: BotParts, database: Database, writer: Writer, entries: Entries, texts: Texts, hub: Hub
) -> ActionExecutor:
    """Every action that the domain names: the base's and those of the skills that are on.

    Raises:
        SettingsInvalid: a skill's actions cannot be used, an action has two definitions, or none.
    """
    answer = ActionAnswer(writer, entries, texts, hub)
    base = [
        answer,
        ActionClarify(answer),
        ActionHandoff(database, settings.support_email),
        ActionStop(),
    ]
    actions = [
        *(renamed(action, parts.names) for action in base),
        *(action for skill in parts.skills for action in actions_of(skill, database)),
    ]
    check_unique(actions)
    check_named(actions, parts.actions())
    executor = ActionExecutor()
    for action in actions:
        executor.register_action(action)
    return executor
