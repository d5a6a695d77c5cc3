"""How an action answers: one text to the customer, and beside it what `app` stores with the turn."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from rasa_sdk.executor import CollectingDispatcher

from knowledge.types import Source, UsedEntry

Outcome = Literal["answered", "suggested", "clarified", "unknown", "handoff", "action"]


@dataclass(frozen=True)
class Button:
    """One choice; the payload goes to Rasa and never to the browser."""

    title: str
    payload: str


@dataclass(frozen=True)
class Note:
    """What is stored with the turn; travels through Rasa as the custom part of a bot message."""

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
    """A decimal; JSON has none."""
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

    Where several messages are sent in one action, the note goes with the last.
    """
    dispatcher.utter_message(
        text=text,
        response=response,
        buttons=[asdict(button) for button in buttons],
        json_message={"rejoinder": asdict(note)},
        **values,
    )


def begin_reply(dispatcher: CollectingDispatcher, *, response: str, **values: Any) -> None:
    """A paragraph of a message that goes on with what is sent next, until `say`."""
    dispatcher.utter_message(response=response, json_message={"rejoinder": {"continues": True}}, **values)
