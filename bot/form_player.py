"""Plays disturbances against every form of a trained model and reports what went wrong.

Run ``python -m bot.form_player --model FILE --scripts FILE --actions URL --secret TEXT --out FILE`` in the bot environment. A
script is ``{"form", "begin", "values": {slot: text}, "other"}``: how a customer starts the form, their text for each of its
slots, and how they start another form ("" without one).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Text

from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.shared.core.constants import ACTION_DEFAULT_FALLBACK_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig
from rasa.utils.log_utils import configure_structlog

from bot.components.forms import Waiting, waiting_in
from bot.components.tracker_store import TrackerStore

Script = Dict[Text, Any]
MOST_SLOTS = 20
"""Limit for a form that asks for more slots, or for the same one again and again."""


class Disturbance(NamedTuple):
    """A message to a form, and its expected effects."""

    name: Text
    text: Text
    level: Text = "none"
    """The knowledge level for the message."""
    stays: bool = True
    """The form continues afterwards."""
    waits: bool = False
    """The form still waits for the same slot, which must not be filled."""
    fills: bool = False
    """The awaited slot is filled."""


class Player:
    """Talks to one model, each time as a new customer."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._count = 0

    async def reached(self, script: Script) -> List[Text]:
        """Return the slots that the form asks for, as far as the script's values lead."""
        sender, slots = await self._begin_form(script), []
        while (
            (waits := await self._find_waiting_form(sender, script))
            and waits.slot not in slots
            and len(slots) < MOST_SLOTS
        ):
            slots.append(waits.slot)
            if waits.slot not in script["values"]:
                break
            await self.say(sender, script["values"][waits.slot])
        return slots

    async def waiting_for(self, script: Script, slot: Text) -> Text:
        """Start a conversation in which the form waits for the slot."""
        sender = await self._begin_form(script)
        while (waits := await self._find_waiting_form(sender, script)) and waits.slot != slot:
            await self.say(sender, script["values"][waits.slot])
        return sender

    async def disturbed(self, script: Script, slot: Text, disturbance: Disturbance) -> Optional[Text]:
        """Return what went wrong, or None."""
        sender = await self.waiting_for(script, slot)
        if wrong := await self.say(sender, disturbance.text, disturbance.level):
            return wrong
        tracker = await self._get_tracker(sender)
        value = tracker.get_slot(slot)
        if disturbance.waits and value is not None:
            return f"it was taken for the value of {slot}"
        if disturbance.fills and tracker.active_loop_name == script["form"] and value is None:
            return f"it was not taken as an answer to {slot}"
        if disturbance.stays and not disturbance.fills and tracker.active_loop_name != script["form"]:
            return "the form was lost"
        return await self._check_way_back(sender, script) if not disturbance.stays else None

    async def say(self, sender: Text, text: Text, level: Text = "none") -> Optional[Text]:
        """Send a message and return what was wrong with the answer, or None."""
        out = CollectingOutputChannel()
        metadata = {"knowledge": {"level": level, "confidence": 0.9}, "tenant_id": "default"}
        await self._agent.handle_message(UserMessage(text, out, sender, metadata=metadata))
        if not out.messages:
            return "there was no answer"
        if any((each.get("custom") or {}).get("rejoinder", {}).get("outcome") == "failed" for each in out.messages):
            return "the answer was that something went wrong"
        actions = _actions_of_turn(await self._get_tracker(sender))
        return "no rule fits, so Rasa fell back" if ACTION_DEFAULT_FALLBACK_NAME in actions else None

    async def _check_way_back(self, sender: Text, script: Script) -> Optional[Text]:
        """Check that the form can be resumed after another wish."""
        if (await self._get_tracker(sender)).active_loop_name == script["form"]:
            return "the form went on"
        if wrong := await self.say(sender, script["begin"]):
            return f"coming back: {wrong}"
        return (
            None
            if (await self._get_tracker(sender)).active_loop_name == script["form"]
            else "no way back into the form"
        )

    async def _begin_form(self, script: Script) -> Text:
        self._count += 1
        sender = f"{script['form']}-{self._count}"
        await self.say(sender, script["begin"])
        return sender

    async def _find_waiting_form(self, sender: Text, script: Script) -> Optional[Waiting]:
        waits = waiting_in(await self._get_tracker(sender), self._agent.domain)
        return waits if waits and waits.form == script["form"] else None

    async def waits(self, script: Script, slot: Text) -> Optional[Waiting]:
        """Return the slot that the form waits for, after advancing to this slot."""
        return await self._find_waiting_form(await self.waiting_for(script, slot), script)

    async def _get_tracker(self, sender: Text) -> DialogueStateTracker:
        return await self._agent.tracker_store.retrieve(sender)


async def check_form(agent: Agent, script: Script) -> Dict[Text, Any]:
    """Return the slots of one form that were reached, how many disturbances were tried, and what went wrong."""
    player = Player(agent)
    slots = await player.reached(script)
    tried, failures = 0, []
    for place, slot in enumerate(slots):
        waits = await player.waits(script, slot)
        for disturbance in build_disturbances(script, slots[: place + 1], waits) if waits else ():
            tried += 1
            wrong = await player.disturbed(script, slot, disturbance)
            if wrong:
                failures.append(
                    {"slot": slot, "disturbance": disturbance.name, "said": disturbance.text, "wrong": wrong}
                )
    required = agent.domain.required_slots_for_form(script["form"])
    missed = [slot for slot in required if slot not in slots]
    return {"form": script["form"], "reached": slots, "not_reached": missed, "tried": tried, "failures": failures}


def build_disturbances(script: Script, slots: List[Text], waits: Waiting) -> Iterator[Disturbance]:
    """Yield the disturbances to play while the form waits for the last of the slots."""
    slot, values = slots[-1], script["values"]
    yield Disturbance("its own wish again", script["begin"], waits=True)
    yield Disturbance("a known question", "What are your opening hours?", "sure", waits=True)
    yield Disturbance("an unknown question", "Do elephants like jazz?", waits=True)
    yield Disturbance("a greeting", "good morning", waits=True)
    yield Disturbance("thanks", "thank you very much", waits=True)
    yield Disturbance("small talk", "how are you today", waits=True)
    yield Disturbance("nothing like it there", "I don't have one", waits=True)
    yield Disturbance("not known", f"I don't know the {slot.rsplit('_', 1)[-1]}", waits=True)
    yield Disturbance("stop", "stop", stays=False)
    before = next((each for each in reversed(slots[:-1]) if each in values), None)
    if before:
        yield Disturbance("a correction", f"no, I meant {values[before]}", waits=True)
        if slot in values and waits.entities():
            yield Disturbance("two values", f"{values[before]}, {values[slot]}", fills=True)
    for intent in dict.fromkeys(waits.agreements()):
        said = script["said"].get(intent, "yes")
        yield Disturbance("a yes in a sentence", f"{said}, please do that", fills=True)
        yield Disturbance("a yes with the wish", f"{said} {script['begin']}", fills=True)
        yield Disturbance("a yes with a but", f"{said}, but not yet", waits=True)
    if script["other"] and before and any("from_entity" in str(each["type"]) for each in waits.others[before]):
        yield Disturbance(
            "another wish with a value", f"{script['other'].rstrip('.?! ')} {values[before]}", stays=False
        )
    if script["other"]:
        yield Disturbance("another wish, and back", script["other"], stays=False)


def _actions_of_turn(tracker: DialogueStateTracker) -> List[Text]:
    names: List[Text] = []
    for event in reversed(tracker.events):
        if isinstance(event, ActionExecuted):
            if names and event.action_name == "action_listen":
                break
            names.append(event.action_name)
    return names


async def _check_all_forms(given: argparse.Namespace, folder: Text) -> List[Dict[Text, Any]]:
    actions = EndpointConfig(given.actions, headers={"Authorization": f"Bearer {given.secret}"})
    store = TrackerStore(Domain.empty(), db=f"{folder}/tracker.db")
    agent = Agent.load(str(given.model), tracker_store=store, action_endpoint=actions)
    return [await check_form(agent, script) for script in json.loads(given.scripts.read_text(encoding="utf-8"))]


def main() -> None:
    """Parse the arguments and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "scripts", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("actions", "secret"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    configure_structlog(logging.ERROR)
    logging.getLogger().setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(_check_all_forms(given, folder))
    given.out.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
