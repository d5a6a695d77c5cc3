"""Rasa's answer is read back into the messages that were meant."""

from __future__ import annotations

import json
from functools import reduce
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.rasa.answer import Reply, parse_rasa_answer

NOTE = {"custom": {"rejoinder": {"outcome": "answered", "sources": [{"title": "T", "url": None}]}}}


def test_a_text_that_rasa_cut_at_blank_lines_is_one_message_again() -> None:
    reading = parse_rasa_answer([{"text": "One."}, {"text": "Two."}, NOTE])
    assert reading.replies == (Reply("One.\n\nTwo.", (), ({"title": "T", "url": None},)),)
    assert reading.rateable


def test_an_answer_in_the_middle_of_a_form_counts_and_the_form_goes_on() -> None:
    ask = {"text": "Which e-mail?"}
    action = {"custom": {"rejoinder": {"outcome": "action"}}}
    reading = parse_rasa_answer([{"text": "Two days."}, NOTE, ask, action])
    assert [reply.text for reply in reading.replies] == ["Two days.", "Which e-mail?"]
    assert reading.outcome == "answered"


def test_plain_responses_are_an_action_without_a_thumb() -> None:
    reading = parse_rasa_answer([{"text": "Hello!", "buttons": [{"title": "A", "payload": "/a"}]}])
    assert (reading.outcome, reading.rateable) == ("action", False)
    assert reading.replies[0].buttons == ({"title": "A", "payload": "/a"},)


def test_a_turn_in_which_something_went_wrong_has_failed_whatever_else_was_said() -> None:
    wrong = {"custom": {"rejoinder": {"outcome": "failed", "error": "utter_default"}}}
    reading = parse_rasa_answer([{"text": "Two days."}, NOTE, {"text": "Sorry, something went wrong."}, wrong])
    assert (reading.outcome, reading.rateable) == ("failed", False)


def test_no_message_is_no_reply() -> None:
    assert parse_rasa_answer([]).replies == ()
    assert parse_rasa_answer([NOTE]).replies == ()


def test_several_utterances_are_several_messages() -> None:
    items = [
        {"text": "One.\n\nStill one.", "whole": True},
        {"text": "Two.", "custom": NOTE["custom"], "whole": True},
        {"text": "Three.", "whole": True},
    ]
    reading = parse_rasa_answer(items)
    assert [reply.text for reply in reading.replies] == ["One.\n\nStill one.", "Two.", "Three."]
    assert [len(reply.sources) for reply in reading.replies] == [0, 1, 0]
    assert reading.outcome == "answered"


@pytest.mark.parametrize("cut", [False, True], ids=["our channel", "Rasa's"])
def test_what_an_action_begins_is_one_message_with_what_follows(cut: bool) -> None:
    begun = {"custom": {"rejoinder": {"continues": True}}}
    said = [({"text": "On its way."}, begun), ({"text": "By DHL."}, begun), ({"text": "Tomorrow."}, NOTE)]
    whole = [{**text, **note, "whole": True} for text, note in said]
    reading = parse_rasa_answer([part for pair in said for part in pair] if cut else whole)
    assert [reply.text for reply in reading.replies] == ["On its way.\n\nBy DHL.\n\nTomorrow."]
    assert reading.replies[0].sources and reading.outcome == "answered"


def test_an_utterance_of_rasas_own_channel_with_buttons_was_never_cut() -> None:
    reading = parse_rasa_answer([{"text": "Hello!"}, {"text": "Which?", "buttons": BUTTONS}, {"text": "Or write."}])
    assert [(reply.text, len(reply.buttons)) for reply in reading.replies] == [
        ("Hello!", 0), ("Which?", 1), ("Or write.", 0),
    ]  # fmt: skip


BUTTONS = [{"title": "A", "payload": "/a"}]
SHOP = "https://shop.example"


def only(**said: Any) -> Reply:
    """The one message that this utterance becomes."""
    (reply,) = parse_rasa_answer([{"recipient_id": "c", "whole": True, **said}]).replies
    return reply


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            {"image": f"{SHOP}/heron-lamp.png"},
            {"kind": "image", "name": "heron lamp", "url": f"{SHOP}/heron-lamp.png", "content_type": "image/png"},
        ),
        (
            {"image": f"{SHOP}/x.png", "metadata": {"alt": "A brass lamp"}},
            {"kind": "image", "name": "A brass lamp", "url": f"{SHOP}/x.png", "content_type": "image/png"},
        ),
        (
            {"attachment": {"type": "video", "payload": {"src": f"{SHOP}/how", "title": "How it works"}}},
            {"kind": "video", "name": "How it works", "url": f"{SHOP}/how"},
        ),
        (
            {"attachment": {"type": "file", "payload": {"url": f"{SHOP}/sizes.pdf"}}},
            {"kind": "document", "name": "sizes", "url": f"{SHOP}/sizes.pdf", "content_type": "application/pdf"},
        ),
        (
            {"attachment": f"{SHOP}/bell.mp3?x=1"},
            {"kind": "audio", "name": "bell", "url": f"{SHOP}/bell.mp3?x=1", "content_type": "audio/mpeg"},
        ),
        (
            {
                "attachment": {
                    "type": "location",
                    "payload": {"coordinates": {"lat": 51.5, "long": -0.1}, "title": "Us"},
                }
            },
            {"kind": "location", "latitude": 51.5, "longitude": -0.1, "name": "Us"},
        ),
        ({"custom": {"open": "cart"}}, {"kind": "custom", "payload": {"open": "cart"}}),
        (
            {"buttons": [{"title": "Shop", "type": "web_url", "url": SHOP}]},
            {"kind": "link", "title": "Shop", "url": SHOP},
        ),
    ],
)
def test_what_comes_without_a_text_is_a_message(said: dict[str, Any], shown: dict[str, Any]) -> None:
    reply = only(**said)
    assert (reply.text, reply.attachments) == ("", (shown,))


def test_buttons_without_a_text_are_a_message_and_a_title_alone_says_itself() -> None:
    assert only(buttons=[*BUTTONS, {"title": "B"}]).buttons == (*BUTTONS, {"title": "B", "payload": "B"})
    assert only(text="Which?", quick_replies=BUTTONS).buttons == tuple(BUTTONS)


def test_a_carousels_buttons_are_choices_of_the_message_or_links() -> None:
    heron = {
        "title": "Heron", "subtitle": "Brass", "image_url": f"{SHOP}/h.png", "default_action": {"url": f"{SHOP}/h"},
        "buttons": [{"title": "Buy", "payload": "/buy"}, {"title": "More", "type": "web_url", "url": f"{SHOP}/h"}],
    }  # fmt: skip
    owl = {"title": "Owl", "buttons": [{"title": "Buy", "payload": "/buy_owl"}]}
    reply = only(text="Our lamps", buttons=BUTTONS, elements=[heron, owl])
    assert [choice["payload"] for choice in reply.buttons] == ["/a", "/buy", "/buy_owl"]
    assert reply.attachments == (
        {
            "kind": "card", "title": "Heron", "text": "Brass", "image": f"{SHOP}/h.png", "url": f"{SHOP}/h",
            "choices": [1], "links": [{"kind": "link", "title": "More", "url": f"{SHOP}/h"}],
        },
        {"kind": "card", "title": "Owl", "choices": [2], "links": []},
    )  # fmt: skip
    template = {"type": "template", "payload": {"template_type": "generic", "elements": [owl]}}
    assert only(attachment=template).attachments == (
        {"kind": "card", "title": "Owl", "choices": [0], "links": []},
    )  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        {"image": "javascript:alert(1)"},
        {"image": "data:image/svg+xml,<svg onload=alert(1)>"},
        {"image": "/lamp.png"},
        {"image": 7},
        {"image": "https://"},
        {"image": f"{SHOP}/{'x' * 3000}"},
        {"attachment": {"type": "video", "payload": {"src": "file:///etc/passwd"}}},
        {"attachment": ["x"]},
        {"attachment": {"type": "location", "payload": {"latitude": "north", "longitude": 1}}},
        {"attachment": {"type": "location", "payload": {"latitude": float("nan"), "longitude": 1}}},
        {"buttons": "none"},
        {"buttons": [{"payload": "/a"}, None, {"title": "A", "payload": {"a": 1}}]},
        {"buttons": [{"title": "A", "type": "web_url", "url": "javascript:alert(1)"}]},
        {"elements": [{"subtitle": "no title"}]},
        {"custom": {"number": float("inf")}},
        {"custom": {"text": "x" * 70_000}},
        {"custom": reduce(lambda inner, _: {"in": inner}, range(100), {"in": 1})},
    ],
    ids=lambda said: str(said)[:60],
)
def test_what_is_no_good_is_left_out_and_the_text_arrives(
    said: dict[str, Any],
) -> None:
    with capture_logs() as logged:
        assert only(text="Here you are.", **said) == Reply("Here you are.")
    assert logged[0]["event"] == "left out of an answer"


def test_a_payload_of_10_kb_is_kept_and_a_title_of_10_kb_is_cut() -> None:
    payload = "/buy" + json.dumps({"note": "x" * 10_000})
    (button,) = only(buttons=[{"title": "Buy " * 2500, "payload": payload}]).buttons
    assert button["payload"] == payload
    assert len(button["title"]) == 200


def test_more_choices_than_anybody_can_read_are_left_out() -> None:
    cards = [{"title": f"Card {n}", "buttons": BUTTONS * 3} for n in range(30)]
    reply = only(elements=cards)
    assert (len(reply.buttons), len(reply.attachments)) == (50, 20)
    assert max(number for card in reply.attachments for number in card["choices"]) == 49
