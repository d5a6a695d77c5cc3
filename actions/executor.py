"""Creates the actions with their dependencies."""

from __future__ import annotations

import structlog
from rasa_sdk.executor import ActionExecutor

from actions.answer import ActionAnswer, Entries
from actions.clarify import ActionClarify
from actions.handoff import ActionHandoff
from actions.names import rename_action
from actions.servers import ActionServers
from actions.skills import check_named, check_unique, load_skills
from actions.stop import ActionStop
from core.bot.parts import BotParts
from core.bot.texts import Texts
from core.db import Database
from core.events import Hub
from core.settings import Settings
from knowledge.answers.writer import Writer

log = structlog.get_logger()


def make_actions(  # noqa: PLR0917
    settings: Settings, parts: BotParts, database: Database, writer: Writer, entries: Entries, texts: Texts, hub: Hub
) -> tuple[ActionExecutor, ActionServers]:
    """Create the executor for the base's and the skills' actions, and the client for the team's own servers.

    Raises:
        SettingsInvalid: an action has two definitions, or none.
    """
    answer = ActionAnswer(writer, entries, texts, hub)
    base = [
        answer,
        ActionClarify(answer),
        ActionHandoff(database, settings.support_email),
        ActionStop(),
    ]
    of_skills, problems = load_skills(parts.skills, database)
    for problem in problems:
        log.error("a skill cannot be used; its actions fail, everything else runs", cause=problem)
    actions = [*(rename_action(action, parts.names) for action in base), *of_skills]
    check_unique(actions)
    urls = settings.own_action_servers()
    if not (urls or parts.project):
        check_named(actions, parts.actions())
    executor = ActionExecutor()
    for action in actions:
        executor.register_action(action)
    return executor, ActionServers(urls, executor.actions, parts.domain())


async def tell_problems(servers: ActionServers, parts: BotParts) -> None:
    """Load the servers' action lists and log every problem; servers that do not answer yet are asked again later."""
    await servers.look_up()
    servers.tell_clashes()
    for problem in servers.problems(parts.actions()):
        log.warning(problem)
