"""What a form cannot use gets a sentence and the form goes on, in a team's own small bot: run in the bot environment."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from pathlib import Path

from rasa.core.agent import Agent
from rasa.model_training import train
from rasa.utils.log_utils import configure_structlog

CONFIG = """
recipe: default.v1
language: en
assistant_id: table
pipeline:
  - name: WhitespaceTokenizer
  - name: KeywordIntentClassifier
    case_sensitive: false
  - name: RegexEntityExtractor
policies:
  - name: bot.components.form_policy.FormRulePolicy
"""
DOMAIN = """
version: "3.1"
session_config: {session_expiration_time: 60, carry_over_slots_to_new_session: false}
intents: [book, greet, affirm, deny, pay, stop, song, goodbye]
entities: [day, guests]
forms:
  table_form: {required_slots: [day, guests, name, sure]}
  bill_form: {required_slots: [card, note]}
slots:
  day:
    type: text
    mappings: [{type: from_entity, entity: day, conditions: [{active_loop: table_form, requested_slot: day}]}]
  guests:
    type: text
    mappings: [{type: from_entity, entity: guests, conditions: [{active_loop: table_form, requested_slot: guests}]}]
  name:
    type: text
    mappings:
      - type: from_text
        not_intent: [book, greet, affirm, deny, pay, stop, song]
        conditions: [{active_loop: table_form, requested_slot: name}]
  sure:
    type: bool
    mappings:
      - {type: from_intent, intent: affirm, value: true, conditions: &sure [{active_loop: table_form, requested_slot: sure}]}
      - {type: from_intent, intent: deny, value: false, conditions: *sure}
  card:
    type: text
    mappings: [{type: from_text, not_intent: [pay, book], conditions: [{active_loop: bill_form}]}]
  note:
    type: text
    mappings: [{type: from_text, not_intent: [pay, book, deny, affirm], conditions: [{active_loop: bill_form, requested_slot: note}]}]
responses:
  utter_default: [{text: "WRONG"}]
  utter_form_hint: [{text: "hint"}]
  utter_form_wish: [{text: "sure"}]
  utter_form_without: [{text: "without"}]
  utter_form_corrected: [{text: "corrected"}]
  utter_bye: [{text: "bye"}]
  utter_without_guests: [{text: "without guests"}]
  utter_form_expired: [{text: "expired"}]
  utter_ask_day: [{text: "day?"}]
  utter_ask_guests: [{text: "guests?"}]
  utter_ask_name: [{text: "name?"}]
  utter_ask_sure: [{text: "{day}, {guests}, {name}?"}]
  utter_ask_card: [{text: "card?"}]
  utter_ask_note: [{text: "Is there anything that we should know?"}]
  utter_paid: [{text: "paid, {note}"}]
  utter_hello: [{text: "hello"}]
  utter_done: [{text: "done {sure}"}]
  utter_stopped: [{text: "stopped"}]
"""
RULES = """
version: "3.1"
nlu:
  - intent: book
    examples: |
      - book a table
      - please book for [Monday](day) and [4](guests)
  - intent: greet
    examples: "- good morning"
  - intent: affirm
    examples: "- yes"
  - intent: deny
    examples: "- not at all"
  - intent: pay
    examples: "- pay the bill"
  - intent: stop
    examples: "- stop"
  - intent: song
    examples: "- sing"
  - intent: goodbye
    examples: "- so long"
  - regex: day
    examples: "- \\\\b(?:Mon|Tues|Satur|Sun)day\\\\b"
  - regex: guests
    examples: "- \\\\b\\\\d+\\\\b"
rules:
  - rule: book
    steps: [{intent: book}, {action: table_form}, {active_loop: table_form}]
  - rule: booked
    condition: [{active_loop: table_form}]
    steps: [{action: table_form}, {active_loop: null}, {slot_was_set: [{requested_slot: null}]}, {action: utter_done}]
  - rule: pay
    steps: [{intent: pay}, {action: bill_form}, {active_loop: bill_form}]
  - rule: paid
    condition: [{active_loop: bill_form}]
    steps: [{action: bill_form}, {active_loop: null}, {slot_was_set: [{requested_slot: null}]}, {action: utter_paid}]
  - rule: greet
    steps: [{intent: greet}, {action: utter_hello}]
  - rule: goodbye
    steps: [{intent: goodbye}, {action: utter_bye}]
  - rule: stop
    steps: [{intent: stop}, {action: action_deactivate_loop}, {active_loop: null}, {action: utter_stopped}]
"""
BEGIN = ["book a table"]
TO_NAME = [*BEGIN, "Monday", "4"]
TO_END = [*TO_NAME, "Ada"]
CASES = [
    (BEGIN, ["day?"]),
    ([*BEGIN, "book a table"], ["sure", "day?"]),
    ([*BEGIN, "sing"], ["hint", "day?"]),
    ([*BEGIN, "yes"], ["hint", "day?"]),
    ([*BEGIN, "purple"], ["hint", "day?"]),
    ([*BEGIN, "good morning"], ["hello", "day?"]),
    ([*BEGIN, "I don't know"], ["without", "day?"]),
    ([*BEGIN, "Monday", "I don't know"], ["without guests", "guests?"]),
    ([*BEGIN, "on Monday for 4"], ["name?"]),
    ([*BEGIN, "Monday", "no, I meant Tuesday"], ["corrected", "guests?"]),
    ([*BEGIN, "Monday", "no, I meant Tuesday", "4", "Ada"], ["Tuesday, 4, Ada?"]),
    ([*TO_NAME, "no, I meant Ada"], ["Monday, 4, Ada?"]),
    ([*BEGIN, "so long"], ["bye"]),
    ([*BEGIN, "so long", "Monday"], ["WRONG"]),
    ([*BEGIN, "Monday", "pay the bill"], ["card?"]),
    ([*BEGIN, "Monday", "pay the bill", "book a table"], ["guests?"]),
    (["pay the bill", "1234"], ["Is there anything that we should know?"]),
    ([*BEGIN, "stop"], ["stopped"]),
    ([*BEGIN, "please pay the bill of Monday"], ["card?"]),
    ([*BEGIN, "Monday", "2 pay the bill"], ["card?"]),
    ([*BEGIN, "4", "Sunday"], ["name?"]),
    ([*BEGIN, "for 4 of us because we are many", "Sunday"], ["guests?"]),
    ([*TO_NAME, "book a table"], ["sure", "name?"]),
    ([*TO_END, "book a table"], ["sure", "Monday, 4, Ada?"]),
    ([*TO_END, "no, I meant 5"], ["corrected", "Monday, 5, Ada?"]),
    ([*TO_END, "I mean Ada Lovelace"], ["corrected", "Monday, 4, Ada Lovelace?"]),
    ([*TO_END, "yes do it"], ["done True"]),
    ([*TO_END, "yes do it", "sing"], ["WRONG"]),
]


async def check(model: str) -> None:
    agent = Agent.load(model)
    for number, (said, wanted) in enumerate(CASES):
        heard = [await answers(agent, text, str(number)) for text in said][-1]
        assert heard == wanted, (said, heard, wanted)
    await check_expiry(agent)


async def check_expiry(agent: Agent) -> None:
    for text, wanted in (("good morning", ["hello", "expired"]), ("book a table", ["day?", "expired"])):
        await answers(agent, "book a table", text)
        tracker = await agent.tracker_store.retrieve(text)
        for event in tracker.events:
            event.timestamp -= 7200
        await agent.tracker_store.save(tracker)
        assert await answers(agent, text, text) == wanted
        again = await answers(agent, "book a table", text)
        assert "expired" not in again, again


async def answers(agent: Agent, text: str, sender: str) -> list[str]:
    return [message["text"] for message in await agent.handle_text(text, sender_id=sender) or []]


if __name__ == "__main__":
    configure_structlog(logging.ERROR)
    logging.getLogger().setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in (("config.yml", CONFIG), ("domain.yml", DOMAIN), ("rules.yml", RULES)):
            (folder / file).write_text(text)
        files = [str(folder / "domain.yml"), str(folder / "config.yml"), [str(folder / "rules.yml")]]
        asyncio.run(check(train(*files, output=name).model))
