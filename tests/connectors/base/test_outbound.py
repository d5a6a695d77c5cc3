"""What a channel cannot show is told in words, and a long text is cut without losing anything."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base.choices import choice_of
from connectors.base.message_parts import split_message
from connectors.base.outbound import Capabilities, Outbound, fit_to_channel, outbound_of, split_outbound
from core.db.models import get_current_time
from core.events import MessageStored

PLAIN = Capabilities(longest=160)
RICH = Capabilities(buttons=3, rows=10, images=True, documents=True, carousel=True, locations=True)
FULL = Outbound(
    text="Which one?",
    buttons=("Red", "Blue", "Green", "Black"),
    images=({"kind": "image", "name": "shoe.png", "url": "https://shop.example/shoe.png"},),
    documents=({"kind": "document", "name": "sizes.pdf"},),
    cards=({"kind": "card", "title": "Heron lamp", "text": "Brass"}, {"kind": "card", "title": "Owl lamp"}),
    locations=({"kind": "location", "latitude": 51.5, "longitude": -0.12, "name": "Our shop"},),
    sources=({"title": "Colours", "url": "https://shop.example/colours"},),
)


def test_a_channel_of_plain_text_tells_all_of_it() -> None:
    shown = fit_to_channel(FULL, PLAIN)
    told = (
        "shoe.png",
        "sizes.pdf",
        "Heron lamp",
        "Brass",
        "Owl lamp",
        "Our shop",
        "51.5,-0.12",
        "Colours",
        "1. Red",
        "4. Black",
    )
    assert all(words in shown.text for words in told)
    assert shown == Outbound(shown.text)


def test_a_channel_keeps_what_it_can_show() -> None:
    shown = fit_to_channel(FULL, RICH)
    assert (shown.images, shown.documents, shown.cards, shown.locations) == (
        FULL.images, FULL.documents, FULL.cards, FULL.locations,
    )  # fmt: skip
    assert shown.buttons == FULL.buttons
    assert shown.text == "Which one?\n\nColours: https://shop.example/colours"


@pytest.mark.parametrize(
    "buttons", [("A", "B", "C", "D"), ("A title that is far too long for a button of this channel", "B")]
)
def test_choices_that_do_not_fit_are_numbered_and_can_be_answered(buttons: tuple[str, ...]) -> None:
    shown = fit_to_channel(Outbound("Which?", buttons=buttons), Capabilities(buttons=3))
    assert not shown.buttons
    assert re.findall(r"^(\d)\. (.*)$", shown.text, re.MULTILINE) == [(str(n), b) for n, b in enumerate(buttons, 1)]
    assert choice_of("2", buttons) == 1


def test_what_goes_with_a_long_text_goes_with_its_last_part() -> None:
    sent = split_outbound(Outbound("One sentence. " * 30, buttons=("Yes", "No")), Capabilities(longest=100, buttons=3))
    assert len(sent) > 3
    assert [part.buttons for part in sent[:-1]] == [()] * (len(sent) - 1)
    assert sent[-1].buttons == ("Yes", "No")


def test_texts_are_cut_at_paragraphs_then_sentences_then_words() -> None:
    assert split_message("First paragraph here.\n\nSecond one. With more.", 30) == [
        "First paragraph here.",
        "Second one. With more.",
    ]
    assert split_message("One two three. Four five six. Seven.", 30) == ["One two three. Four five six.", "Seven."]
    assert split_message("آپ کا آرڈر روانہ ہو گیا۔ شکریہ۔", 26) == ["آپ کا آرڈر روانہ ہو گیا۔", "شکریہ۔"]
    assert split_message("one two three four", 9) == ["one two", "three", "four"]
    assert split_message("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]
    assert split_message("   ", 10) == []
    with pytest.raises(ValueError):
        split_message("x", 0)


@given(st.text(st.sampled_from("ab .!\n۔é😀"), max_size=300), st.integers(1, 60))
def test_nothing_is_lost_and_nothing_is_too_long(text: str, longest: int) -> None:
    pieces = split_message(text, longest)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(0 < len(piece) <= longest for piece in pieces)


def test_a_file_of_a_kind_that_a_channel_does_not_show_is_told() -> None:
    svg = {"kind": "image", "name": "Plan", "url": "https://shop.example/plan.svg", "content_type": "image/svg+xml"}
    png, unknown = FULL.images[0], {"kind": "image", "name": "Cup", "url": "https://shop.example/cup"}
    shown = fit_to_channel(
        Outbound(images=(svg, png, unknown)), Capabilities(images=True, media=frozenset({"image/png"}))
    )
    assert shown == Outbound("Plan: https://shop.example/plan.svg", images=(png, unknown))


def test_a_custom_payload_is_for_no_channel() -> None:
    stored = MessageStored(
        "m", 1, "bot", "Hi", get_current_time(), attachments=({"kind": "custom", "payload": {"a": 1}},)
    )
    assert outbound_of(stored) == Outbound("Hi")
