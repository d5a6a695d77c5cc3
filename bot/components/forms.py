"""What a form waits for in the conversation that is being answered."""

from __future__ import annotations

import contextvars
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Text

from rasa.shared.core.constants import REQUESTED_SLOT
from rasa.shared.core.trackers import DialogueStateTracker

_tracker: contextvars.ContextVar[Optional[DialogueStateTracker]] = contextvars.ContextVar("tracker", default=None)
"""Rasa reads the tracker of a message, then understands the message, both in one task; the pipeline is given no tracker."""


class Waiting(NamedTuple):
    """A slot that a form waits for."""

    slot: Text
    form: Text
    mappings: List[Dict[Text, Any]]

    def entities(self) -> List[Text]:
        """The entities that fill it."""
        return [mapping["entity"] for mapping in self._usable("from_entity")]

    def intents(self) -> List[Text]:
        """The intents that fill it, such as a yes."""
        return [name for mapping in self._usable("from_intent") for name in _listed(mapping.get("intent"))]

    def takes_text(self, intent: Text) -> bool:
        """Is what is written the value, such as an address, where it is understood like this?"""
        wanted = [_listed(mapping.get("intent")) for mapping in self._usable("from_text")]
        return any(not intents or intent in intents for intents in wanted)

    def _usable(self, kind: Text) -> Iterator[Dict[Text, Any]]:
        return (m for m in self.mappings if str(m.get("type")).endswith(kind) and self._applies(m))

    def _applies(self, mapping: Dict[Text, Any]) -> bool:
        here = {"active_loop": self.form, REQUESTED_SLOT: self.slot}
        conditions = mapping.get("conditions") or []
        return not conditions or any(all(here.get(k) == v for k, v in each.items()) for each in conditions)


def remember(tracker: Optional[DialogueStateTracker]) -> None:
    """The tracker of the message that is to be answered."""
    _tracker.set(tracker)


def waiting() -> Optional[Waiting]:
    """None where no form waits, or no conversation is being answered."""
    tracker = _tracker.get()
    name = tracker.get_slot(REQUESTED_SLOT) if tracker else None
    slot = tracker.slots.get(name) if tracker and name else None
    if tracker is None or slot is None or not tracker.active_loop_name:
        return None
    return Waiting(name, tracker.active_loop_name, list(slot.mappings))


def _listed(names: Any) -> List[Text]:
    return [names] if isinstance(names, str) else list(names or [])
