"""Every state with every event: what it leads to, or that it is refused."""

from __future__ import annotations

import pytest

from core.errors import Conflict
from core.handoffs.states import ENDED, EVENTS, STATES, bot_may_speak, get_next_state

STAY = ("remind", "escalate", "summarise")
ALLOWED: dict[tuple[str, str], str] = {
    ("bot", "request"): "requested",
    ("bot", "take_over"): "claimed",
    **{(state, "claim"): "claimed" for state in ("requested", "claimed", "timed_out", "nobody_there")},
    ("with_person", "claim"): "with_person",
    **{
        (state, event): to
        for state in ("requested", "claimed", "with_person", "timed_out", "nobody_there")
        for event, to in (("reply", "with_person"), ("give_back", "returned"), ("close", "closed"))
    },
    **{(state, "leave"): "customer_left" for state in ("requested", "claimed", "with_person")},
    **{(state, event): state for state in ("requested", "claimed") for event in STAY},
    **{(state, "time_out"): "timed_out" for state in ("requested", "claimed")},
    ("requested", "unattended"): "nobody_there",
    **{(state, "request"): "requested" for state in ("timed_out", "nobody_there")},
    **{(state, "leave_contact"): state for state in ("timed_out", "nobody_there")},
    **{(state, "summarise"): state for state in ("with_person", "timed_out", "nobody_there")},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_every_event_in_every_state(state, event) -> None:
    if (to := ALLOWED.get((state, event))) is not None:
        assert get_next_state(state, event) == to
    else:
        with pytest.raises(Conflict, match=state.replace("_", " ")):
            get_next_state(state, event)


def test_the_bot_is_silent_exactly_while_a_person_is_wanted_or_there() -> None:
    assert {state for state in STATES if not bot_may_speak(state)} == {"requested", "claimed", "with_person"}


def test_nothing_follows_an_end() -> None:
    assert not [event for state in ENDED for event in EVENTS if (state, event) in ALLOWED]
