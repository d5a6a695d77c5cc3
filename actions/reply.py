"""Replies from actions: one text for the customer, and a note that `app` stores with the turn."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from rasa_sdk.executor import CollectingDispatcher

from knowledge.types import Source, UsedEntry

Outcome = Literal["answered", "suggested", "clarified", "unknown", "handoff", "action"]


@dataclass(frozen=True)
class Button:
    """One choice; its payload is sent to Rasa and never to the browser."""

    title: str
    payload: str


@dataclass(frozen=True)
class Note:
    """Data stored with the turn; sent through Rasa as the custom part of a bot message."""

    outcome: Outcome
    confidence: float | None = None
    entries: tuple[UsedEntry, ...] = ()
    sources: tuple[Source, ...] = ()
    retrieval_ms: float | None = None
    generation_ms: float | None = None
    written_by: str | None = None
    route: str | None = None
    complexity: float | None = None
    cost: str | None = None
    """A decimal as a string, because JSON has no decimals."""
    prompt_version: str | None = None
    groundedness: float | None = None


def send_reply(
    dispatcher: CollectingDispatcher,
    note: Note,
    *,
    text: str | None = None,
    response: str | None = None,
    buttons: tuple[Button, ...] = (),
    **values: Any,
) -> None:
    """Send a text, or a response of ``domain.yml`` with its values filled in, and note what happened.

    If an action sends several messages, the note goes with the last one.
    """
    dispatcher.utter_message(
        text=text,
        response=response,
        buttons=[asdict(button) for button in buttons],
        json_message={"rejoinder": asdict(note)},
        **values,
    )


def begin_reply(dispatcher: CollectingDispatcher, *, response: str, **values: Any) -> None:
    """Send a paragraph of a message that the next messages continue, up to `send_reply`."""
    dispatcher.utter_message(response=response, json_message={"rejoinder": {"continues": True}}, **values)
