"""Remove the turns from rules and stories that follow intents handled by the base bot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from evaluation.adoption.project import ensure_list, get_item_name

Step = dict[str, Any]
_OF_THE_TURN = ("action", "bot", "slot_was_set")
_BEGINS = ("intent", "user", "or")


def intents_of(step: Step) -> set[str]:
    """Return the intents of a step; retrieval intents without their last part."""
    return {str(each["intent"]).partition("/")[0] for each in step.get("or", [step]) if "intent" in each}


def actions_of(steps: Iterable[Step]) -> list[str]:
    """Return all actions of the steps."""
    return [str(step["action"]) for step in steps if step.get("action")]


def find_active_form(step: Step) -> str | None:
    """Return the form that the step activates; empty if it deactivates it, None if it says nothing about forms."""
    return str(step["active_loop"] or "") if "active_loop" in step else None


def rule_left(rule: Step, taken: set[str]) -> Step | None:
    """Return a rule without the intents handled by the base bot, or None if nothing is left."""
    steps = [_remove_intents(step, taken) for step in rule["steps"]]
    return None if None in steps else {**rule, "steps": steps}


def story_left(story: Step, taken: set[str]) -> Step | None:
    """Return a story up to the first turn handled by the base bot; inside a form, only that turn is removed."""
    kept: list[Step] = []
    loop, skipping = "", False
    for step in story["steps"]:
        begins = any(key in step for key in _BEGINS)
        if skipping and not begins and any(key in step for key in _OF_THE_TURN):
            continue
        left = _remove_intents(step, taken) if begins else step
        skipping = left is None
        if left is None:
            if not loop:
                break
            continue
        loop = found if (found := find_active_form(step)) is not None else loop
        kept.append(left)
    if kept == story["steps"]:
        return story
    ends_with_answer = bool(kept) and not any(key in kept[-1] for key in _BEGINS)
    return {**story, "steps": kept} if ends_with_answer and any("intent" in s or "or" in s for s in kept) else None


def slots_of(mappings: Any) -> list[dict[str, Any]]:
    """Return the mappings of a slot."""
    return [each for each in ensure_list(mappings) if isinstance(each, dict)]


def list_required_slots(form: Any) -> list[str]:
    """Return the slots that a form asks for."""
    return [get_item_name(slot) for slot in ensure_list((form or {}).get("required_slots"))]


def _remove_intents(step: Step, taken: set[str]) -> Step | None:
    if "or" not in step:
        return None if intents_of(step) & taken else step
    left = [each for each in step["or"] if not intents_of(each) & taken]
    if len(left) > 1:
        return {**step, "or": left}
    return left[0] if left else None
