"""A press on a known question asks for its entry; words that only look like a press do not."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker

from actions.entries import entry_button, pressed_entry


def tracker(**latest: Any) -> Tracker:
    return Tracker("c", {}, latest, [], False, None, {}, "action_listen")


def test_the_payload_names_the_entry_whatever_the_title_says() -> None:
    button = entry_button('Do you sell "gift cards" {in stores}?', "01HX")
    assert button.title == 'Do you sell "gift cards" {in stores}?'
    assert button.payload == '/ask_entry{"entry": "01HX"}'


def test_a_press_is_read_from_what_rasa_understood() -> None:
    entities = [{"entity": "entry", "value": "01HX"}]
    assert pressed_entry(tracker(intent={"name": "ask_entry"}, entities=entities)) == "01HX"
    assert pressed_entry(tracker(intent={"name": "ask_knowledge"}, entities=entities)) is None
    assert pressed_entry(tracker(intent={"name": "ask_entry"}, entities=[])) is None
    assert pressed_entry(tracker(text="/ask_entry")) is None
