"""A conversation that stands in a form goes on after the form's skill was switched off: run in the bot environment."""

from __future__ import annotations

import asyncio

from rasa.shared.core.constants import ACTION_LISTEN_NAME, REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.components.tracker_store import TrackerStore

BASE = {"version": "3.1", "intents": ["greet"], "actions": ["rejoinder_answer"]}
SHOP = {
    **BASE,
    "slots": {"order_number": {"type": "text", "mappings": [{"type": "custom"}]}},
    "forms": {"order_form": {"required_slots": ["order_number"]}},
}


async def go_on(path: str) -> None:
    shop = Domain.from_dict(SHOP)
    tracker = DialogueStateTracker("c1", shop.slots)
    asked = (ActionExecuted(ACTION_LISTEN_NAME), UserUttered("hi"), ActionExecuted("order_form"))
    for event in (*asked, ActiveLoop("order_form"), SlotSet(REQUESTED_SLOT, "order_number")):
        tracker.update(event, shop)
    await TrackerStore(shop, db=path).save(tracker)
    same = await TrackerStore(shop, db=path).retrieve("c1")
    assert same and same.active_loop_name == "order_form"
    store = TrackerStore(Domain.from_dict(BASE), db=path)
    found = await store.retrieve("c1")
    assert found and found.active_loop_name is None
    assert found.get_slot(REQUESTED_SLOT) is None
    found.update(UserUttered("hello"))
    await store.save(found)
    again = await TrackerStore(shop, db=path).retrieve("c1")
    assert again and again.active_loop_name is None


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(go_on(f"{folder}/tracker.db"))
