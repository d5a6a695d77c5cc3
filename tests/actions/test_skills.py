"""The actions of skills are found wherever their folder lies, and what is wrong with them is said at start."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rasa_sdk import Action
from rasa_sdk.executor import CollectingDispatcher

from actions.skills import actions_of, check_named, check_skills, check_unique, load_skills
from actions.stop import ActionStop
from core.bot.parts import Skill, find_skills
from core.db import Database
from core.errors import ActionFailed, SettingsInvalid

CODE = """
from rasa_sdk import Action
from bot.skills.{skill}.words import NAME


class ActionBook(Action):
    def name(self):
        return NAME


def make_actions(database):
    return [ActionBook()]
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Modules of the skills that a test wrote."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("bot.skills"):
            del sys.modules[name]


def skill(folder: Path, name: str, code: str = CODE, action: str = "action_book") -> Skill:
    place = folder / name
    place.mkdir()
    (place / "domain.yml").write_text('version: "3.1"\n')
    (place / "words.py").write_text(f'NAME = "{action}"\n')
    (place / "actions.py").write_text(code.format(skill=name))
    return Skill(place)


def names(actions: list[Action]) -> list[str]:
    return [action.name() for action in actions]


def test_a_skill_outside_the_checkout_has_files_of_its_own(tmp_path: Path, sqlite: Database) -> None:
    assert names(actions_of(skill(tmp_path, "booking"), sqlite)) == ["action_book"]


def test_a_skill_of_the_checkout(sqlite: Database) -> None:
    (shop,) = find_skills(["shop_orders"])
    assert {"action_order_status", "validate_cancel_order_form"} < set(names(actions_of(shop, sqlite)))


def test_an_action_that_two_define_is_an_error_with_both_places(tmp_path: Path, sqlite: Database) -> None:
    one, two = skill(tmp_path, "booking"), skill(tmp_path, "visits")
    with pytest.raises(SettingsInvalid, match=r"action_book is defined twice: in .*booking.* and in .*visits"):
        check_skills([one, two], sqlite)


def test_an_action_of_the_base_is_not_defined_again(tmp_path: Path, sqlite: Database) -> None:
    stops = actions_of(skill(tmp_path, "booking", action="rejoinder_stop"), sqlite)
    with pytest.raises(SettingsInvalid, match=r"rejoinder_stop is defined twice: in .*actions.stop.* and in .*booking"):
        check_unique([ActionStop(), *stops])


@pytest.mark.parametrize(
    ("code", "said"),
    [("def make_actions(", "SyntaxError"), ("import nothing_like_it", "nothing_like_it"), ("", "make_actions")],
)
def test_code_that_cannot_be_used_is_said_with_its_skill(
    tmp_path: Path, sqlite: Database, code: str, said: str
) -> None:
    (problem,) = check_skills([skill(tmp_path, "booking", code)], sqlite)
    assert re.search(rf"skill booking .*{said}", problem)


@pytest.mark.parametrize("code", ["import nothing_like_it", "import sys; sys.exit(3)"])
async def test_a_skill_that_cannot_be_used_costs_its_own_actions_alone(
    tmp_path: Path, sqlite: Database, code: str
) -> None:
    broken, whole = skill(tmp_path, "booking", code), skill(tmp_path, "visits", action="action_visit")
    broken.domain.write_text('version: "3.1"\nactions: [action_book, {validate_book_form: {send_domain: true}}]\n')
    actions, problems = load_skills([broken, whole], sqlite)
    assert names(actions) == ["action_book", "validate_book_form", "action_visit"]
    assert len(problems) == 1
    with pytest.raises(ActionFailed, match="skill booking"):
        await actions[0].run(CollectingDispatcher(), None, {})


def test_an_action_without_code_is_said() -> None:
    with pytest.raises(SettingsInvalid, match="action_book"):
        check_named([ActionStop()], ["rejoinder_stop", "action_book", "utter_greet"])
