"""The two modals: a reply to the customer, and a correction of the bot's reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.slack.text import truncate_text
from core.handoffs.messages import LONGEST as LONGEST_REPLY

SHOWN = 10
LONGEST = 3000
"""Slack's limit for text inputs."""
CATEGORIES = {
    "wrong_fact": "Wrong fact",
    "outdated": "Outdated",
    "incomplete": "Incomplete",
    "tone": "Tone",
    "policy": "Against our rules",
}
"""A misunderstood message is corrected in the console, since it needs an intent and an editor of the bot."""
View = dict[str, Any]


def build_reply_modal(handoff_id: str) -> View:
    """Return the modal for a reply to the customer."""
    longest = min(LONGEST, LONGEST_REPLY)
    return _build_modal(
        "reply", "Reply", "Send", [_build_text_input("text", "To the customer", longest)], private_metadata=handoff_id
    )


def build_correction_modal(answers: Sequence[tuple[str, str]]) -> View:
    """Return the modal for a correction; ``answers`` are (message id, text) pairs, oldest first."""
    choices = [_build_option(message_id, " ".join(text.split())) for message_id, text in reversed(answers[-SHOWN:])]
    kinds = [_build_option(value, name) for value, name in CATEGORIES.items()]
    reason = {**_build_text_input("reason", "Why (for the reviewer)", LONGEST), "optional": True}
    blocks = [
        _build_select_input("message", "Which answer", choices),
        _build_text_input("text", "What it should have said", LONGEST),
        _build_select_input("category", "What was wrong", kinds),
        reason,
    ]
    return _build_modal("correction", "Correct the bot", "Propose", blocks)


def collect_field_values(view: View) -> dict[str, str]:
    """Return the field values by name; empty fields are empty strings."""
    values: dict[str, Any] = (view.get("state") or {}).get("values") or {}
    return {name: _get_field_value(next(iter(inputs.values()), {})) for name, inputs in values.items()}


def _get_field_value(given: dict[str, Any]) -> str:
    chosen = given.get("selected_option") or {}
    return str(chosen.get("value") or given.get("value") or "")


def _build_modal(name: str, title: str, submit: str, blocks: list[View], **more: Any) -> View:
    captions = {
        "title": _build_plain_text(title),
        "submit": _build_plain_text(submit),
        "close": _build_plain_text("Cancel"),
    }
    return {"type": "modal", "callback_id": name, **captions, "blocks": blocks, **more}


def _build_text_input(name: str, label: str, longest: int) -> View:
    element = {"type": "plain_text_input", "action_id": "value", "multiline": True, "max_length": longest}
    return {"type": "input", "block_id": name, "label": _build_plain_text(label), "element": element}


def _build_select_input(name: str, label: str, choices: list[View]) -> View:
    element = {"type": "static_select", "action_id": "value", "options": choices, "initial_option": choices[0]}
    return {"type": "input", "block_id": name, "label": _build_plain_text(label), "element": element}


def _build_option(value: str, text: str) -> View:
    return {"text": _build_plain_text(truncate_text(text, 75)), "value": value}


def _build_plain_text(text: str) -> View:
    return {"type": "plain_text", "text": text}
