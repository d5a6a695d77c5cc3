"""The two dialogues: an answer to the customer, and a better answer than the bot's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.slack.text import cut
from core.handoffs.messages import LONGEST as LONGEST_REPLY

SHOWN = 10
LONGEST = 3000
"""Slack's limit of a text that is typed."""
CATEGORIES = {
    "wrong_fact": "Wrong fact",
    "outdated": "Outdated",
    "incomplete": "Incomplete",
    "tone": "Tone",
    "policy": "Against our rules",
}
"""A misunderstood message needs an intent and an editor of the bot: that is corrected in the console."""
View = dict[str, Any]


def reply(handoff_id: str) -> View:
    """What goes to the customer."""
    longest = min(LONGEST, LONGEST_REPLY)
    return _view("reply", "Reply", "Send", [_typed("text", "To the customer", longest)], private_metadata=handoff_id)


def correction(answers: Sequence[tuple[str, str]]) -> View:
    """What the bot should have said; ``answers`` as (message id, text), oldest first."""
    choices = [_choice(message_id, " ".join(text.split())) for message_id, text in reversed(answers[-SHOWN:])]
    kinds = [_choice(value, name) for value, name in CATEGORIES.items()]
    reason = {**_typed("reason", "Why (for the reviewer)", LONGEST), "optional": True}
    blocks = [
        _chosen("message", "Which answer", choices),
        _typed("text", "What it should have said", LONGEST),
        _chosen("category", "What was wrong", kinds),
        reason,
    ]
    return _view("correction", "Correct the bot", "Propose", blocks)


def filled(view: View) -> dict[str, str]:
    """The values by name; what was left empty is an empty text."""
    values: dict[str, Any] = (view.get("state") or {}).get("values") or {}
    return {name: _value(next(iter(inputs.values()), {})) for name, inputs in values.items()}


def _value(given: dict[str, Any]) -> str:
    chosen = given.get("selected_option") or {}
    return str(chosen.get("value") or given.get("value") or "")


def _view(name: str, title: str, submit: str, blocks: list[View], **more: Any) -> View:
    captions = {"title": _plain(title), "submit": _plain(submit), "close": _plain("Cancel")}
    return {"type": "modal", "callback_id": name, **captions, "blocks": blocks, **more}


def _typed(name: str, label: str, longest: int) -> View:
    element = {"type": "plain_text_input", "action_id": "value", "multiline": True, "max_length": longest}
    return {"type": "input", "block_id": name, "label": _plain(label), "element": element}


def _chosen(name: str, label: str, choices: list[View]) -> View:
    element = {"type": "static_select", "action_id": "value", "options": choices, "initial_option": choices[0]}
    return {"type": "input", "block_id": name, "label": _plain(label), "element": element}


def _choice(value: str, text: str) -> View:
    return {"text": _plain(cut(text, 75)), "value": value}


def _plain(text: str) -> View:
    return {"type": "plain_text", "text": text}
