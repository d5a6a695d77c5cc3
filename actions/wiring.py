"""Builds the actions with what they use."""

from __future__ import annotations

from knowledge.answering import Answering
from rasa_sdk.executor import ActionExecutor

from actions.answer import ActionAnswer
from core.db import Database
from core.settings import Settings


def make_executor(settings: Settings, database: Database, answering: Answering) -> ActionExecutor:
    """Every action that ``domain.yml`` names."""
    executor = ActionExecutor()
    for action in (ActionAnswer(answering),):
        executor.register_action(action)
    return executor
