"""Checks of a project on its own, before it is merged."""

from __future__ import annotations

import difflib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from evaluation.adoption.dialogue import actions_of, intents_of, list_required_slots, slots_of
from evaluation.adoption.findings import Finding
from evaluation.adoption.project import Project, ensure_list, get_item_name

DEFAULT_ACTIONS = frozenset({
    "action_listen", "action_restart", "action_session_start", "action_default_fallback", "action_deactivate_loop",
    "action_back", "action_revert_fallback_events", "action_default_ask_affirmation", "action_default_ask_rephrase",
    "action_two_stage_fallback", "action_unlikely_intent", "action_extract_slots", "...",
})  # fmt: skip
"""Rasa's default actions; the last entry is not an action, but marks a rule that continues in any way."""
DEFAULT_INTENTS = frozenset({"nlu_fallback", "restart", "back", "session_start"})
"""Rasa's default intents, which no domain lists."""
BUTTONS_OF_OURS = frozenset({"talk_to_person", "out_of_scope", "ask_entry"})
"""Intents of the base bot that a project's buttons may send."""
OURS = "rejoinder_"
_ENTITY = re.compile(r"\[[^\]]+\](?:\(([^:)]+)[^)]*\)|\{[^}]*\"entity\": *\"([^\"]+)\"[^}]*\})")


def collect_findings(project: Project) -> list[Finding]:
    """Run all checks and return their findings."""
    return [
        *_find_reserved_names(project),
        *_missing_responses(project),
        *_conditional_responses(project),
        *_unknown_actions(project),
        *_find_missing_questions(project),
        *_find_unfillable_slots(project),
        *_shared_slots(project),
        *_unknown_intents(project),
        *_find_unused_intents(project),
        *_find_unknown_entities(project),
        *_find_broken_payloads(project),
        *_find_rule_loops(project),
    ]


def _collect_actions(project: Project) -> Iterator[tuple[str, str]]:
    """Yield each action of a rule or story with its place."""
    for kind in ("rules", "stories"):
        for document, path in project.paths(kind):
            for action in actions_of(path["steps"]):
                yield action, document.at(path)


def _find_reserved_names(project: Project) -> Iterator[Finding]:
    for name in project.actions:
        if name.startswith(OURS):
            text = f"the action {name} has a name of Rejoinder's own: none but its actions may begin with {OURS}"
            yield Finding("unresolved", text, project.domains[0].name)


def _missing_responses(project: Project) -> Iterator[Finding]:
    known, retrieval = project.responses(), {name.partition("/")[0] for name in project.responses()}
    places: dict[str, str] = {}
    for action, place in _collect_actions(project):
        if action.startswith("utter_") and action not in known and action not in retrieval:
            places.setdefault(action, place)
    own = {get_item_name(each) for each in project.domain["actions"]}
    for action, place in places.items():
        if action not in own:  # otherwise a custom action of that name may send it
            yield Finding("unresolved", f"the response {action} is missing from the domain", place)
    empty = [name for name, texts in known.items() if not texts]
    yield from (
        Finding("unresolved", f"the response {name} has no variation", project.domains[0].name) for name in empty
    )


def _conditional_responses(project: Project) -> Iterator[Finding]:
    for name, texts in project.responses().items():
        if texts and all(isinstance(text, dict) and text.get("condition") for text in texts):
            text = f"every variation of {name} has a condition: where none holds, nothing is said"
            yield Finding("attend", text, project.domains[0].name)


def _unknown_actions(project: Project) -> Iterator[Finding]:
    known = {*project.actions, *project.domain["forms"], *DEFAULT_ACTIONS}
    places: dict[str, str] = {}
    for action, place in _collect_actions(project):
        if not action.startswith("utter_") and action not in known:
            places.setdefault(action, place)
    yield from (
        Finding("unresolved", f"the action {name} is missing from the domain", at) for name, at in places.items()
    )


def _find_missing_questions(project: Project) -> Iterator[Finding]:
    """Find required slots of forms that no response or action asks for; a validation action may ask instead."""
    there_are = {*project.responses(), *project.actions}
    for form, value in project.domain["forms"].items():
        for slot in list_required_slots(value):
            asks = {f"{kind}_ask_{place}" for kind in ("utter", "action") for place in (slot, f"{form}_{slot}")}
            if not asks & there_are:
                text = f"{form} asks for {slot}, and neither utter_ask_{slot} nor utter_ask_{form}_{slot} nor an action says it"
                yield Finding("attend", text, project.domains[0].name)


def _find_unfillable_slots(project: Project) -> Iterator[Finding]:
    """Find slots whose conditions never hold while the form asks for them, and slots that wait for each other."""
    slots, place = project.domain["slots"], project.domains[0].name
    waits: dict[str, set[str]] = {}
    for form, value in project.domain["forms"].items():
        for slot in list_required_slots(value):
            if slot not in slots:
                yield Finding("unresolved", f"{form} asks for the slot {slot}, which the domain does not have", place)
                continue
            blocked = _find_blocking_slots(slots_of(slots[slot].get("mappings")), form, slot)
            if (
                blocked is None
                or f"validate_{form}" in project.actions
                or "action_validate_slot_mappings" in project.actions
            ):
                continue
            waits[slot] = blocked
            text = (
                f"{form} asks for {slot}, whose mappings have conditions that never hold then, so that it asks for ever"
            )
            yield Finding("attend", text, place)
    for slot, others in waits.items():
        for other in others & waits.keys():
            if slot in waits[other] and slot < other:
                yield Finding(
                    "unresolved", f"the conditions of the slots {slot} and {other} wait for each other", place
                )


def _find_blocking_slots(mappings: list[dict[str, object]], form: str, slot: str) -> set[str] | None:
    """Return the slots that block this one, or None if one of its mappings works or an action fills it."""
    waits: set[str] = set()
    for mapping in mappings:
        conditions = [each for each in ensure_list(mapping.get("conditions")) if isinstance(each, dict)]
        if mapping.get("type") == "custom" or not conditions:
            return None
        if any(c.get("active_loop") in (None, form) and c.get("requested_slot") in (None, slot) for c in conditions):
            return None
        waits |= {str(c["requested_slot"]) for c in conditions if c.get("requested_slot")}
    return waits


def _shared_slots(project: Project) -> Iterator[Finding]:
    forms: dict[str, list[str]] = defaultdict(list)
    for form, value in project.domain["forms"].items():
        for slot in list_required_slots(value):
            forms[slot].append(form)
    for slot, names in forms.items():
        if len(names) > 1:
            text = f"{', '.join(names)} ask for the same slot {slot}: what one of them was given the others have, until an action empties it"
            yield Finding("attend", text, project.domains[0].name)


def _unknown_intents(project: Project) -> Iterator[Finding]:
    known = {*project.intents, *DEFAULT_INTENTS}
    seen: set[str] = set()
    for document, part in project.examples():
        name = str(part["intent"]).partition("/")[0]
        if name not in known | seen:
            seen.add(name)
            yield Finding(
                "merged",
                f"the intent {name} has examples and is missing from the domain; it is added",
                document.at(part),
            )
    written = seen | {str(part["intent"]).partition("/")[0] for _, part in project.examples()}
    for kind in ("rules", "stories"):
        for document, path in project.paths(kind):
            for name in sorted({name for step in path["steps"] for name in intents_of(step)} - known - seen):
                seen.add(name)
                yield _unknown_intent(name, sorted(known | written), document.at(path))


def _unknown_intent(name: str, known: list[str], place: str) -> Finding:
    """Return the finding for an undeclared intent of a rule or story; those with examples are reported elsewhere."""
    text = f"the intent {name} is missing from the domain and has no examples: it is added, and only a button can send it{_suggest_name(name, known)}"
    return Finding("attend", text, place)


def _find_unused_intents(project: Project) -> Iterator[Finding]:
    """Find intents of the domain that have no examples and appear in no rule, story or mapping."""
    used = {str(part["intent"]).partition("/")[0] for _, part in project.examples()}
    paths = (path for kind in ("rules", "stories") for _, path in project.paths(kind))
    used |= {name for path in paths for step in path["steps"] for name in intents_of(step)}
    mapped = json.dumps(project.domain["slots"], default=str)
    for name in project.intents:
        if name not in used | DEFAULT_INTENTS and f'"{name}"' not in mapped:
            text = f"the intent {name} has no examples, and no rule or story names it"
            yield Finding("attend", text, project.domains[0].name)


def _find_unknown_entities(project: Project) -> Iterator[Finding]:
    """Find entities that examples mark but the domain does not list, and that therefore fill no slot."""
    known, seen = [get_item_name(each) for each in project.domain["entities"]], set()
    for document, part in project.examples():
        for pair in _ENTITY.findall(str(part.get("examples") or "")):
            name = str(next(filter(None, pair)))
            if name not in known and name not in seen:
                seen.add(name)
                text = f"examples mark the entity {name}, which the domain does not have{_suggest_name(name, known)}"
                yield Finding("attend", text, document.at(part))


def _find_broken_payloads(project: Project) -> Iterator[Finding]:
    """Find button payloads with an unknown intent or invalid JSON entities."""
    known = {*project.intents, *DEFAULT_INTENTS, *BUTTONS_OF_OURS}
    known |= {str(part["intent"]).partition("/")[0] for _, part in project.examples()}
    for name, texts in project.responses().items():
        buttons = (b for text in texts if isinstance(text, dict) for b in ensure_list(text.get("buttons")))
        for payload in (str(b.get("payload") or "") for b in buttons if isinstance(b, dict)):
            if payload.startswith("/") and (problem := _explain_payload(payload, known)):
                yield Finding("attend", f"{name} has the button {payload}: {problem}", project.domains[0].name)


def _explain_payload(payload: str, known: set[str]) -> str:
    """Return the problem of a payload; empty if it is valid."""
    intent, brace, rest = payload[1:].partition("{")
    intent = intent.partition("@")[0].strip()
    if intent.partition("/")[0] not in known:
        return f"no such intent{_suggest_name(intent, sorted(known))}"
    try:
        entities = json.loads(brace + rest) if brace else {}
    except ValueError as error:
        return f"its entities are not JSON ({error})"
    return "" if isinstance(entities, dict) else "its entities are not a JSON object"


def _suggest_name(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; is {near[0]} meant?" if near else ""


def _find_rule_loops(project: Project) -> Iterator[Finding]:
    """Find cycles of rules that follow one action with another, which Rasa would repeat until its limit."""
    after: dict[str, tuple[str, str]] = {}
    for document, rule in project.paths("rules"):
        names = [str(s["action"]) for s in rule["steps"] if s.get("action")]
        if "action" in rule["steps"][0] and not any(intents_of(s) or "active_loop" in s for s in rule["steps"]):
            after |= {first: (then, document.at(rule)) for first, then in pairwise(names)}
    reported: set[str] = set()
    for start in after:
        path, action = [start], after[start][0]
        while action in after and action not in path:
            path.append(action)
            action = after[action][0]
        if action == start and not reported & {*path}:
            reported |= {*path}
            yield Finding("unresolved", f"the rules go in a circle: {' -> '.join([*path, start])}", after[start][1])
