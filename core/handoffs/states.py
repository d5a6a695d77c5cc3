"""The states of a handoff and the events that lead from one to the next, as a transition table.

bot -> requested -> claimed -> with_person -> returned | closed, and requested or claimed -> timed_out, requested ->
nobody_there (outside office hours), and customer_left. After timed_out and nobody_there the bot continues, and staff can
still claim the handoff.
"""

from __future__ import annotations

from typing import Literal, get_args

from core.errors import Conflict

State = Literal[
    "bot", "requested", "claimed", "with_person", "returned", "closed", "timed_out", "customer_left", "nobody_there"
]
Event = Literal[
    "request",  # the bot requests an agent
    "take_over",  # an agent steps in without a request
    "claim",  # an agent claims it, even from a colleague
    "reply",  # an agent replied to the customer
    "remind",  # nobody has acted for a while
    "escalate",  # nobody has acted since the reminder
    "time_out",  # nobody has acted since the escalation
    "unattended",  # it was requested while nobody is available
    "leave_contact",  # the customer left an e-mail address or phone number
    "summarise",  # a better summary is available
    "give_back",  # the conversation returns to the bot
    "close",  # an agent closes it
    "leave",  # the customer ended the conversation
]
STATES: tuple[State, ...] = get_args(State)
EVENTS: tuple[Event, ...] = get_args(Event)

ENDED: frozenset[State] = frozenset({"returned", "closed", "customer_left"})
PERSON: frozenset[State] = frozenset({"requested", "claimed", "with_person"})
"""An agent owns the conversation, or was requested: the bot is not asked, and its pending reply is dropped."""

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
    """Return the state after the event.

    Raises:
        Conflict: the event is not possible in this state.
    """
    to = TRANSITIONS[state].get(event)
    if to is None:
        raise Conflict(f"“{event.replace('_', ' ')}” is not possible: the handoff is {state.replace('_', ' ')}.")
    return to


def bot_may_speak(state: State) -> bool:
    """Whether the bot answers in this state."""
    return state not in PERSON
