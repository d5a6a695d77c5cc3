"""Loads the actions of the enabled skills from each skill's ``actions.py``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from core.bot.parts import SKILLS, Skill
from core.db import Database
from core.errors import ActionFailed, SettingsInvalid

PACKAGE = "bot.skills"


def actions_of(skill: Skill, database: Database) -> list[Action]:
    """Return the result of ``make_actions`` in the skill's ``actions.py``; empty without such a file.

    Raises:
        SettingsInvalid: the file cannot be used; says why.
    """
    if not (skill.folder / "actions.py").is_file():
        return []
    try:
        made: Iterable[Action] = _import_skill_actions(skill).make_actions(database)
        return list(made)
    except (Exception, SystemExit) as error:  # whatever a skill's own code does, its name is told
        raise SettingsInvalid(
            f"The actions of the skill {skill.name} ({skill.folder}) cannot be used: {error!r}"
        ) from error


def load_skills(skills: Iterable[Skill], database: Database) -> tuple[list[Action], list[str]]:
    """Return all actions, and a line for each skill whose code cannot be used; only that skill's actions fail."""
    actions: list[Action] = []
    problems: list[str] = []
    for skill in skills:
        try:
            actions += actions_of(skill, database)
        except SettingsInvalid as error:
            problems.append(str(error))
            actions += [_Unusable(name, str(error)) for name in skill.actions()]
    return actions, problems


def check_skills(skills: Iterable[Skill], database: Database) -> list[str]:
    """Return a line for each skill whose code cannot be used.

    Raises:
        SettingsInvalid: an action has two definitions; says where.
    """
    actions, problems = load_skills(skills, database)
    check_unique(actions)
    return problems


def check_unique(actions: Iterable[Action]) -> None:
    """Check that action names are unique.

    Raises:
        SettingsInvalid: two have the same name; says where both are.
    """
    places: dict[str, str] = {}
    for action in actions:
        name, place = str(action.name()), _locate_action(action)
        if name in places:
            raise SettingsInvalid(f"The action {name} is defined twice: in {places[name]} and in {place}.")
        places[name] = place


def check_named(actions: Iterable[Action], named: Iterable[str]) -> None:
    """Check that every action of a domain exists, except responses, which Rasa sends itself.

    Raises:
        SettingsInvalid: some are missing.
    """
    there_are = {str(action.name()) for action in actions}
    missing = [name for name in named if name not in there_are and not name.startswith("utter_")]
    if missing:
        raise SettingsInvalid(f"No actions.py has the actions that a domain.yml names: {', '.join(missing)}")


class _Unusable(Action):
    """Stands in for an action whose skill cannot be used."""

    def __init__(self, name: str, cause: str) -> None:
        self._name = name
        self._cause = cause

    def name(self) -> str:
        return self._name

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        raise ActionFailed(self._cause)


def _import_skill_actions(skill: Skill) -> ModuleType:
    if skill.folder.parent != SKILLS:
        _load_package(skill)
    return importlib.import_module(f"{PACKAGE}.{skill.name}.actions")


def _load_package(skill: Skill) -> None:
    """Register an external skill folder as a package, so that its files can import each other like those of ours."""
    name = f"{PACKAGE}.{skill.name}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_loader(name, loader=None, is_package=True)
    assert spec is not None  # noqa: S101 - it is, for a package without a loader
    package = importlib.util.module_from_spec(spec)
    package.__path__ = [str(skill.folder)]
    sys.modules[name] = package


def _locate_action(action: Action) -> str:
    kind = type(action)
    return str(getattr(sys.modules.get(kind.__module__), "__file__", None) or kind.__module__)
