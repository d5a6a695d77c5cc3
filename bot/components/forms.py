"""The slot that the active form waits for, and the values that a message has for the form."""

from __future__ import annotations

import contextvars
import re
from typing import Any, Dict, FrozenSet, Iterator, List, Match, NamedTuple, Optional, Set, Text, Tuple

from rasa.shared.core.constants import REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.components.words import build_phrase_pattern

Mappings = List[Dict[Text, Any]]
Entities = List[Dict[Text, Any]]

_remembered: contextvars.ContextVar[Tuple[Optional[DialogueStateTracker], Optional[Domain]]] = contextvars.ContextVar(
    "remembered", default=(None, None)
)
"""The pipeline gets no tracker, but Rasa reads the tracker and parses the message in the same task."""
_CORRECTS = re.compile(
    rf"^\W*(?:{build_phrase_pattern('corrects', 'hesitates')}\W*)*(?:(?P<meant>{build_phrase_pattern('means')})|{build_phrase_pattern('instead')})\W*"
    rf"|^\W*{build_phrase_pattern('corrects')}\W*",
    re.IGNORECASE,
)
"""How a correction begins; ``meant``: words that express nothing else."""
_WHETHER = re.compile(rf"{build_phrase_pattern('whether')}[^.!?]*\?", re.IGNORECASE)
MOST_WORDS_BESIDE = 5
"""Maximum number of other words for a value to be corrected within free text, such as an address."""
UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")
"""Characters of languages without spaces between words."""
SIGNS_A_WORD = 2
FEW_WORDS = 3
"""A message with this many words besides the values may be more than an answer."""
_LACKS = rf"^\W*(?:{build_phrase_pattern('hedges')}\W*)*{build_phrase_pattern('lacks')}(?:\W*{build_phrase_pattern('after')})*\W*$"
_OBJECT = (
    r"(?: (?:one|it|that|this|any|them|mine)| (?:(?:the|my|an?|any|your|that|this|such) )?(?:[\w-]+ ){0,2}NAMEs?)?"
)


class Waiting(NamedTuple):
    """A slot that a form waits for, and the form's other slots."""

    slot: Text
    form: Text
    mappings: Mappings
    others: Dict[Text, Mappings]
    """Mappings by slot, in the form's order."""
    filled: FrozenSet[Text] = frozenset()
    """The other slots that have a value."""
    question: Text = ""
    """The bot's last message."""

    def entities(self) -> List[Text]:
        """Return the entities that fill the slot."""
        return [mapping["entity"] for mapping in self._select_mappings("from_entity")]

    def intents(self) -> List[Text]:
        """Return the intents that fill the slot, such as affirm."""
        return [
            name for mapping in self._select_mappings("from_intent") for name in _to_name_list(mapping.get("intent"))
        ]

    def agreements(self) -> List[Text]:
        """Return the intents among them that express agreement."""
        agreed = (mapping for mapping in self._select_mappings("from_intent") if mapping.get("value"))
        return [name for mapping in agreed for name in _to_name_list(mapping.get("intent"))]

    def takes_text(self) -> bool:
        """Whether any text is a value, such as an address."""
        return any(not _to_name_list(mapping.get("intent")) for mapping in self._select_mappings("from_text"))

    def is_optional(self) -> bool:
        """Whether the question asks if there is anything at all ("Is there anything that we should know?"), so that a no is a value."""
        return self.takes_text() and _WHETHER.search(self.question) is not None

    def takes_text_as(self, intent: Text) -> bool:
        """Whether the slot takes the text of messages with this intent."""
        return any(intent in _to_name_list(mapping.get("intent")) for mapping in self._select_mappings("from_text"))

    def given_beside(self, text: Text, entities: Entities) -> Dict[Text, Any]:
        """Return values for the form's other slots: corrected ones, or ones not requested yet.

        Conditions on the requested slot are ignored; they only resolve which slot an ambiguous value is for.
        """
        corrects = _CORRECTS.match(text)
        awaited = any(entity["entity"] in self.entities() for entity in entities)
        if not corrects and not awaited and _words_beside(text, entities) >= FEW_WORDS:
            return {}
        brief = _words_beside(text, entities) <= MOST_WORDS_BESIDE
        is_meant = corrects is not None and corrects["meant"] is not None
        if self.takes_text() and not (corrects and (brief or is_meant)):
            return {}
        written = self._text_put_right(text, corrects) if corrects and not (entities and brief) else {}
        if self.takes_text() and not brief:
            return written
        return written or self._values_beside(entities, puts_right=corrects is not None)

    def puts_right(self, text: Text, entities: Entities) -> bool:
        """Whether the message corrects an earlier value."""
        return bool(self.filled & set(self.given_beside(text, entities)))

    def meant_in(self, text: Text) -> Optional[Text]:
        """Return the text after an explicit correction phrase ("I meant ..."), or None."""
        corrects = _CORRECTS.match(text)
        return text[corrects.end() :].strip() or None if corrects and corrects["meant"] else None

    def says_more(self, text: Text, entities: Entities, intent: Optional[Text]) -> bool:
        """Whether the message is more than a value and may be a new wish."""
        is_value = any(_matches_intent(mapping, intent) for mapping in self._select_mappings("from_text"))
        return not is_value and _words_beside(text, entities) >= FEW_WORDS

    def lacks(self, text: Text) -> bool:
        """Whether the customer says that they have no such thing."""
        name = re.escape(self.slot.rsplit("_", 1)[-1])
        lacking = _LACKS.replace("OBJECT", _OBJECT.replace("NAME", name))
        return re.match(lacking, text.replace("e-mail", "email"), re.IGNORECASE) is not None

    def _values_beside(self, entities: Entities, *, puts_right: bool) -> Dict[Text, Any]:
        """Assign entities to the other slots, each once; the slot filled last comes first."""
        left = [entity for entity in entities if entity["entity"] not in self.entities()]
        found: Dict[Text, Any] = {}
        for slot in reversed(list(self.others)):
            taken = self._first_fitting(self.others[slot], left) if (slot in self.filled) == puts_right else None
            if taken:
                found[slot] = taken["value"]
                left.remove(taken)
        return found

    def _first_fitting(self, mappings: Mappings, entities: Entities) -> Optional[Dict[Text, Any]]:
        wanted = [
            m
            for m in mappings
            if _get_mapping_type(m) == "from_entity" and not (m.get("intent") or m.get("not_intent"))
        ]
        here = [
            m
            for m in wanted
            if not m.get("conditions") or any(c.get("active_loop") in (None, self.form) for c in m["conditions"])
        ]
        return next((entity for mapping in here for entity in entities if _matches_entity(mapping, entity)), None)

    def _text_put_right(self, text: Text, corrects: Match[Text]) -> Dict[Text, Any]:
        """Correct the last free-text value, if a yes or no is awaited or the correction is explicit."""
        written = [
            slot
            for slot in self.others
            if slot in self.filled and _collect_mapping_types(self.others[slot]) == {"from_text"}
        ]
        rest = text[corrects.end() :].strip()
        meant = corrects["meant"] is not None and bool(rest)
        is_value = re.search(r"\d", rest) or (meant and (" " in rest or not self.intents()))
        return {written[-1]: rest} if written and (self.intents() or meant) and is_value else {}

    def _select_mappings(self, kind: Text) -> Iterator[Dict[Text, Any]]:
        return (m for m in self.mappings if _get_mapping_type(m) == kind and self._is_applicable(m))

    def _is_applicable(self, mapping: Dict[Text, Any]) -> bool:
        here = {"active_loop": self.form, REQUESTED_SLOT: self.slot}
        conditions = mapping.get("conditions") or []
        return not conditions or any(all(here.get(k) == v for k, v in each.items()) for each in conditions)


def remember_tracker(tracker: Optional[DialogueStateTracker], domain: Optional[Domain] = None) -> None:
    """Remember the tracker of the message to be answered, and the domain of its forms."""
    _remembered.set((tracker, domain))


def find_waiting_form() -> Optional[Waiting]:
    """Return the slot that a form waits for; None without a waiting form or conversation."""
    tracker, domain = _remembered.get()
    return waiting_in(tracker, domain) if tracker and domain else None


def find_offered_intent() -> Optional[Text]:
    """Return the intent of the only button in the bot's last message ("Shall I pass you on to a person?"), or None."""
    tracker, domain = _remembered.get()
    events = reversed(tracker.events) if tracker and domain else iter(())
    said = next((event for event in events if isinstance(event, (BotUttered, UserUttered))), None)
    buttons = (said.data.get("buttons") or []) if isinstance(said, BotUttered) else []
    payload = str(buttons[0].get("payload", "")) if len(buttons) == 1 else ""
    return payload[1:] if domain and payload[:1] == "/" and payload[1:] in domain.intents else None


def waiting_in(tracker: DialogueStateTracker, domain: Domain) -> Optional[Waiting]:
    """Return the slot that this conversation's form waits for, or None."""
    name, form = tracker.get_slot(REQUESTED_SLOT), tracker.active_loop_name
    if not form or name not in tracker.slots or form not in domain.form_names:
        return None
    names = [slot for slot in domain.required_slots_for_form(form) if slot != name and slot in tracker.slots]
    others = {slot: list(tracker.slots[slot].mappings) for slot in names}
    filled = frozenset(slot for slot in others if tracker.get_slot(slot) is not None)
    said = next((event.text for event in reversed(tracker.events) if isinstance(event, BotUttered) and event.text), "")
    return Waiting(name, form, list(tracker.slots[name].mappings), others, filled, said)


def _matches_intent(mapping: Dict[Text, Any], intent: Optional[Text]) -> bool:
    wanted = _to_name_list(mapping.get("intent"))
    return intent in wanted if wanted else intent not in _to_name_list(mapping.get("not_intent"))


def _matches_entity(mapping: Dict[Text, Any], entity: Dict[Text, Any]) -> bool:
    return all(mapping.get(key) == entity.get(key) for key in ("entity", "role", "group"))


def _words_beside(text: Text, entities: Entities) -> int:
    left = list(text)
    for entity in entities:
        left[entity["start"] : entity["end"]] = " " * (entity["end"] - entity["start"])
    beside = "".join(left)
    return len(beside.split()) + len(UNSPACED.findall(beside)) // SIGNS_A_WORD


def _collect_mapping_types(mappings: Mappings) -> Set[Text]:
    return {_get_mapping_type(mapping) for mapping in mappings}


def _get_mapping_type(mapping: Dict[Text, Any]) -> Text:
    """Return its type, such as "from_entity"."""
    return str(getattr(mapping.get("type"), "value", mapping.get("type")))


def _to_name_list(names: Any) -> List[Text]:
    return [names] if isinstance(names, str) else list(names or [])
