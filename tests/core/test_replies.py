"""Rasa's answer is read back into the messages that were meant."""

from __future__ import annotations

from core.turns.replies import Reply, read

NOTE = {"custom": {"rejoinder": {"outcome": "answered", "sources": [{"title": "T", "url": None}]}}}


def test_a_text_that_rasa_cut_at_blank_lines_is_one_message_again() -> None:
    reading = read([{"text": "One."}, {"text": "Two."}, NOTE])
    assert reading.replies == (Reply("One.\n\nTwo.", (), ({"title": "T", "url": None},)),)
    assert reading.rateable


def test_an_answer_in_the_middle_of_a_form_counts_and_the_form_goes_on() -> None:
    ask = {"text": "Which e-mail?"}
    action = {"custom": {"rejoinder": {"outcome": "action"}}}
    reading = read([{"text": "Two days."}, NOTE, ask, action])
    assert [reply.text for reply in reading.replies] == ["Two days.", "Which e-mail?"]
    assert reading.outcome == "answered"


def test_plain_responses_are_an_action_without_a_thumb() -> None:
    reading = read([{"text": "Hello!", "buttons": [{"title": "A", "payload": "/a"}]}])
    assert (reading.outcome, reading.rateable) == ("action", False)
    assert reading.replies[0].buttons == ({"title": "A", "payload": "/a"},)


def test_a_turn_in_which_something_went_wrong_has_failed_whatever_else_was_said() -> None:
    wrong = {"custom": {"rejoinder": {"outcome": "failed", "error": "utter_default"}}}
    reading = read([{"text": "Two days."}, NOTE, {"text": "Sorry, something went wrong."}, wrong])
    assert (reading.outcome, reading.rateable) == ("failed", False)


def test_no_message_is_no_reply() -> None:
    assert read([]).replies == ()
    assert read([NOTE]).replies == ()
