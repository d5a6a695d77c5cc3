"""The states of a handoff and the events that lead from one to the next: a table, and nothing else.

bot -> requested -> claimed -> with_person -> returned | closed, and requested or claimed -> timed_out, requested ->
nobody_there (outside office hours), and customer_left. After timed_out and nobody_there the bot goes on, and staff can
still take it.
"""

from __future__ import annotations

from typing import Literal, get_args

from core.errors import Conflict

State = Literal[
    "bot", "requested", "claimed", "with_person", "returned", "closed", "timed_out", "customer_left", "nobody_there"
]
Event = Literal[
    "request",  # the bot steps back
    "take_over",  # staff step in by themselves
    "claim",  # somebody takes it, also from a colleague
    "reply",  # staff said something to the customer
    "remind",  # nobody did anything for a while
    "escalate",  # nor after that
    "time_out",  # nor after that
    "unattended",  # it was asked for when nobody is there
    "leave_contact",  # the customer left an e-mail address or a number
    "summarise",  # a better summary is there
    "give_back",  # the bot goes on
    "close",  # it is done
    "leave",  # the customer ended the conversation
]
STATES: tuple[State, ...] = get_args(State)
EVENTS: tuple[Event, ...] = get_args(Event)

ENDED: frozenset[State] = frozenset({"returned", "closed", "customer_left"})
PERSON: frozenset[State] = frozenset({"requested", "claimed", "with_person"})
"""A person has the word: the bot is not asked, and what it was about to say is dropped."""

_STAFF: dict[Event, State] = {"claim": "claimed", "reply": "with_person", "give_back": "returned", "close": "closed"}
_LATE: dict[Event, State] = {**_STAFF, "request": "requested"}

TRANSITIONS: dict[State, dict[Event, State]] = {
    "bot": {"request": "requested", "take_over": "claimed"},
    "requested": {
        **_STAFF,
        "remind": "requested",
        "escalate": "requested",
        "time_out": "timed_out",
        "unattended": "nobody_there",
        "summarise": "requested",
        "leave": "customer_left",
    },
    "claimed": {
        **_STAFF,
        "remind": "claimed",
        "escalate": "claimed",
        "time_out": "timed_out",
        "summarise": "claimed",
        "leave": "customer_left",
    },
    "with_person": {**_STAFF, "claim": "with_person", "summarise": "with_person", "leave": "customer_left"},
    "timed_out": {**_LATE, "leave_contact": "timed_out", "summarise": "timed_out"},
    "nobody_there": {**_LATE, "leave_contact": "nobody_there", "summarise": "nobody_there"},
    "returned": {},
    "closed": {},
    "customer_left": {},
}


def get_next_state(state: State, event: Event) -> State:
    """The state after the event.

    Raises:
        Conflict: this cannot happen in that state.
    """
    to = TRANSITIONS[state].get(event)
    if to is None:
        raise Conflict(f"“{event.replace('_', ' ')}” is not possible: the handoff is {state.replace('_', ' ')}.")
    return to


def bot_may_speak(state: State) -> bool:
    """Whether the bot answers in this state."""
    return state not in PERSON
