"""Trains a small bot with a form, then answers lines of standard input as JSON lines: run in the bot environment."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
from pathlib import Path

from rasa.core.agent import Agent
from rasa.model_training import train
from rasa.utils.endpoints import EndpointConfig
from rasa.utils.log_utils import configure_structlog

CONFIG = """
recipe: default.v1
language: en
assistant_id: table
pipeline:
  - name: WhitespaceTokenizer
  - name: KeywordIntentClassifier
policies:
  - name: bot.components.form_policy.FormRulePolicy
"""
DOMAIN = """
version: "3.1"
intents: [book]
forms:
  table_form: {required_slots: [guests, name]}
slots:
  guests:
    type: text
    mappings: [{type: from_text, conditions: [{active_loop: table_form, requested_slot: guests}]}]
  name:
    type: text
    mappings: [{type: from_text, conditions: [{active_loop: table_form, requested_slot: name}]}]
actions: [validate_table_form, action_ask_guests, action_book]
responses:
  utter_form_hint: [{text: "hint"}]
  utter_ask_name: [{text: "name?"}]
  utter_failed: [{text: "failed"}]
"""
RULES = """
version: "3.1"
nlu:
  - intent: book
    examples: "- book a table"
rules:
  - rule: book
    steps: [{intent: book}, {action: table_form}, {active_loop: table_form}]
  - rule: booked
    condition: [{active_loop: table_form}]
    steps: [{action: table_form}, {active_loop: null}, {slot_was_set: [{requested_slot: null}]}, {action: action_book}]
"""


async def talk(model: str, url: str, secret: str) -> None:
    endpoint = EndpointConfig(url, headers={"Authorization": f"Bearer {secret}"}, enable_selective_domain=True)
    agent = Agent.load(model, action_endpoint=endpoint)
    tell("ready")
    for line in sys.stdin:
        said = await agent.handle_text(line.strip(), sender_id="c") or []
        tracker = await agent.tracker_store.retrieve("c")
        tell({"said": said, "form": tracker.active_loop_name, "slots": tracker.current_slot_values()})


def tell(what: object) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    configure_structlog(logging.CRITICAL)
    logging.getLogger().setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in (("config.yml", CONFIG), ("domain.yml", DOMAIN), ("rules.yml", RULES)):
            (folder / file).write_text(text)
        files = [str(folder / "domain.yml"), str(folder / "config.yml"), [str(folder / "rules.yml")]]
        asyncio.run(talk(train(*files, output=name).model, *sys.argv[1:]))
