"""Scripts that check a bot's forms: how customers start each form, and what they say for its slots.

Both come from the conversation tests. A form without a test is started by an example of the intent whose rule or story
starts it. Its values come from the training data: a marked entity, or an example of the intent that fills the slot.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.bot.parts import BotParts
from evaluation.training.data import read_parts
from evaluation.training.model import Release
from evaluation.training.rasa import run_rasa

_ANNOTATED = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")
_MARKED = re.compile(r"\[([^\]]+)\](?:\(([^:)]+)[^)]*\)|\{[^}]*\"entity\": *\"([^\"]+)\"[^}]*\})")
SAMPLES = {
    "email": "name@example.com",
    "url": "https://example.com",
    "amount-of-money": "$25",
    "time": "tomorrow",
    "number": "3",
}
"""Sample values for extractors such as Duckling, which need no examples."""
ANYTHING = "It has been like that since this morning"
"""Sample value for slots that accept any text."""
REQUESTED = "requested_slot"


@dataclass(frozen=True)
class FormCheckServer:
    """The server that runs the bot's actions during the check."""

    url: str
    secret: str


def check_forms(release: Release, parts: BotParts, actions: FormCheckServer) -> list[dict[str, Any]]:
    """Return the results of ``bot/form_player.py`` per form: ``form``, ``reached``, ``not_reached``, ``tried``, ``failures``.

    Raises:
        Unavailable: the Rasa environment is not set up.
        InvalidInput: the form player ended with an error.
    """
    with tempfile.TemporaryDirectory() as name:
        scripts, out = Path(name) / "scripts.json", Path(name) / "found.json"
        scripts.write_text(json.dumps(form_scripts(parts)), encoding="utf-8")
        words = ["--model", str(release.archive), "--scripts", str(scripts), "--out", str(out)]
        words += ["--actions", actions.url, "--secret", actions.secret]
        run_rasa(words, release.folder / "forms.log", "bot.form_player", project=parts.project)
        found: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))
        return found


def form_scripts(parts: BotParts) -> list[dict[str, Any]]:
    """Return a script for each form that can be started.

    Raises:
        InvalidInput: a file is not valid for Rasa.
    """
    said = {example.intent: example.text for example in reversed(read_parts(parts))}
    forms = parts.domain()["forms"]
    by_rules = {form: said[intent] for form, intent in _begun_by_rules(parts, set(forms)).items() if intent in said}
    by_tests: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {form: {} for form in forms}
    for story in _read_data_items(parts.test_folders, "stories"):
        _learn_form_values(story["steps"], by_tests, values)
    begun = {**by_rules, **by_tests}
    for form, spoken in values.items():
        values[form] = {**_collect_slot_values(parts, form, said), **spoken}
    return [
        {
            "form": form,
            "begin": begin,
            "values": values[form],
            "said": said,
            "other": next((text for other, text in begun.items() if other != form), ""),
        }
        for form, begin in begun.items()
    ]


def _begun_by_rules(parts: BotParts, forms: set[str]) -> dict[str, str]:
    """Map forms to an intent after which a rule or story starts them."""
    found: dict[str, str] = {}
    for path in (*_read_data_items(parts.data_folders, "rules"), *_read_data_items(parts.data_folders, "stories")):
        intents: list[str] = []
        for step in path["steps"]:
            named = [each["intent"] for each in step.get("or", [step]) if "intent" in each]
            if (form := step.get("active_loop")) in forms and intents:
                found.setdefault(form, intents[0])
            intents = named or intents
    return found


def _collect_slot_values(parts: BotParts, form: str, said: dict[str, str]) -> dict[str, str]:
    """Return sample values for the form's slots, as far as the training data has them."""
    domain, marked = parts.domain(), {**SAMPLES, **_collect_entity_texts(parts)}
    found: dict[str, str] = {}
    for slot in domain["forms"][form].get("required_slots") or ():
        mappings = (domain["slots"].get(slot) or {}).get("mappings") or ()
        usable = [mapping for mapping in mappings if _is_mapping_usable(mapping, form, slot)]
        texts = [text for mapping in usable if (text := _find_slot_value(mapping, marked, said))]
        found |= {slot: texts[0]} if texts else {}
    return found


def _find_slot_value(mapping: dict[str, Any], marked: dict[str, str], said: dict[str, str]) -> str | None:
    intents = mapping.get("intent") or ()
    examples = (said.get(name) for name in ([intents] if isinstance(intents, str) else intents))
    if mapping["type"] == "from_entity":
        return marked.get(mapping["entity"])
    if mapping["type"] == "from_intent":
        return next((text for text in examples if text), None) if mapping.get("value") else None
    if mapping["type"] == "from_text":
        return next((text for text in examples if text), None) if intents else ANYTHING
    return None


def _is_mapping_usable(mapping: dict[str, Any], form: str, slot: str) -> bool:
    conditions = mapping.get("conditions") or [{}]
    here = ((each.get("active_loop", form), each.get(REQUESTED, slot)) for each in conditions)
    return any(loop in {form, None} and asked in {slot, None} for loop, asked in here)


def _collect_entity_texts(parts: BotParts) -> dict[str, str]:
    """Map entities to the shortest text marked as such."""
    found: dict[str, str] = {}
    for item in _read_data_items(parts.data_folders, "nlu"):
        for text, name, other in _MARKED.findall(str(item.get("examples") or "")):
            entity = name or other
            found[entity] = min(found.get(entity, text), text, key=len)
    return found


def _learn_form_values(steps: list[dict[str, Any]], begun: dict[str, str], values: dict[str, dict[str, str]]) -> None:
    """Collect start messages and slot values from a conversation test."""
    said, form, requested = "", "", ""
    for step in steps:
        if "user" in step:
            said = _ANNOTATED.sub(r"\1", str(step["user"]).strip())
        elif step.get("action") in values and step["action"] != form:
            form = step["action"]
            begun.setdefault(form, said)
        for name, value in _list_step_slots(step):
            if name == REQUESTED:
                requested = value or ""
            elif name == requested and form and value is not None:
                values[form].setdefault(name, said)


def _list_step_slots(step: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for each in step.get("slot_was_set") or ():
        yield from each.items() if isinstance(each, dict) else [(str(each), "")]


def _read_data_items(folders: list[Path], kind: str) -> Iterator[dict[str, Any]]:
    for file in sorted(file for folder in folders for file in folder.rglob("*.yml")):
        yield from (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get(kind) or ()
