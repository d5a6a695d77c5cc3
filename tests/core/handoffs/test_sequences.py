"""Whatever happens in whatever order: the bot is silent, somebody is told, and nothing is lost or said twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import outbox as writing
from core.conversations import ownership, replies
from core.handoffs import messages
from testing.handoff_world import EVENTS, MemoryDatabase, play

TELLING = (
    ("customer", 0, "person"),
    ("customer", 2, "person"),
    ("step",),
    ("step",),
    ("wait", 0.01),
    ("customer", 0, "Hi"),
    ("customer", 2, "Hi"),
    ("staff", "reply", 0, "ana"),
    ("staff", "reply", 2, "ana"),
    ("repeat",),
    ("repeat",),
)


@pytest.fixture(scope="module")
def memory() -> Iterator[MemoryDatabase]:
    database = MemoryDatabase()
    yield database
    database.close()


@given(seed=st.integers(0, 2**32), happenings=st.lists(st.sampled_from(EVENTS), min_size=3, max_size=25))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_sequence_breaks_a_promise(memory, seed, happenings) -> None:
    assert not +asyncio.run(play(memory, seed, happenings))


def violations(memory, happenings=TELLING, seeds=range(15)) -> set[str]:
    found = [asyncio.run(play(memory, seed, happenings)) for seed in seeds]
    return {name for each in found for name in +each}


def test_a_bot_that_does_not_look_is_noticed(memory, monkeypatch) -> None:
    assert violations(memory) == set()
    monkeypatch.setattr(replies, "person_has_word", lambda *_: None)
    monkeypatch.setattr(ownership, "may_speak", lambda *_: True)
    busy = [("customer", 0, "Hi"), ("staff", "take_over", 0, "ana"), ("step",)]
    assert "bot messages while a person has the word" in violations(memory, busy)


def test_a_request_that_tells_nobody_is_noticed(memory, monkeypatch) -> None:
    monkeypatch.setattr(writing, "to_staff", lambda *_: [])
    assert "requests that alerted nobody" in violations(memory, seeds=range(3))


def test_a_message_that_is_not_forwarded_is_noticed(memory, monkeypatch) -> None:
    monkeypatch.setattr(messages, "forward_to_desks", lambda *_: None)
    assert "not forwarded to the desk" in violations(memory, seeds=range(3))


def test_a_reply_that_is_not_delivered_is_noticed(memory, monkeypatch) -> None:
    monkeypatch.setattr(messages.outbox, "to_customer", lambda *_: None)
    assert "replies lost" in violations(memory, seeds=range(3))


def test_a_reply_that_is_taken_twice_is_noticed(memory, monkeypatch) -> None:
    from core.handoffs import service, transitions

    monkeypatch.setattr(messages, "said_before", lambda *_: None)
    monkeypatch.setattr(transitions, "known_event", lambda *_: None)
    reply = messages.store_staff_reply

    def forgetful(session, conversation, text, by, *, desk, event_id, attachments):
        return reply(session, conversation, text, by, desk=desk, attachments=attachments)

    monkeypatch.setattr(service.messages, "store_staff_reply", forgetful)
    assert "replies doubled" in violations(memory, seeds=range(3))
