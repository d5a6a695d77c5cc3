"""What is played to a bot's forms comes from its conversation tests, else from the rule that begins the form."""

from __future__ import annotations

from pathlib import Path

from core.bot.parts import BotParts, Skill, find_skills
from evaluation.forms import form_scripts

DATA = """version: "3.1"
nlu:
  - intent: hire
    examples: |
      - rent a bike from [Monday](date)
rules:
  - rule: begin to hire
    steps:
      - intent: hire
      - action: hire_form
      - active_loop: hire_form
"""


def test_the_conversation_tests_say_how_a_form_is_begun_and_filled() -> None:
    scripts = {one["form"]: one for one in form_scripts(BotParts(skills=find_skills(["shop_orders"])))}
    assert set(scripts) == {"order_status_form", "address_change_form", "cancel_order_form"}
    cancel = scripts["cancel_order_form"]
    assert cancel["begin"] == "I want to cancel my order"
    assert cancel["values"] == {"order_number": "R104871", "email": "it is ben@example.com", "confirmed": "yes"}
    assert cancel["other"] and cancel["said"]["affirm"] == "yes"


def test_a_form_without_a_test_is_begun_by_an_example_of_its_intent(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "domain.yml").write_text("intents: [hire]\nforms:\n  hire_form: {required_slots: [date]}\n")
    (tmp_path / "data/nlu.yml").write_text(DATA)
    (script,) = form_scripts(BotParts(skills=(Skill(tmp_path),)))
    assert (script["begin"], script["values"], script["other"]) == ("rent a bike from Monday", {}, "")
