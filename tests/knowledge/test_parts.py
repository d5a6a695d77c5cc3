"""Messages that ask several things."""

from __future__ import annotations

import pytest

from knowledge.text.question_splitter import parts_of


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("How much is delivery and can I return a sale item?", ["How much is delivery", "can I return a sale item?"]),
        ("Do they have wifi? And is parking free?", ["Do they have wifi?", "And is parking free?"]),
        ("Hi, what time do you open, and do you take cards?", ["Hi, what time do you open", "do you take cards?"]),
        ("Where is my order and how do I cancel it", ["Where is my order", "how do I cancel it"]),
        ("I have a dog. Can it come? Is it extra?", ["I have a dog. Can it come?", "Is it extra?"]),
        (
            "I want a refund. And what about my points, are they gone?",
            ["I want a refund.", "And what about my points, are they gone?"],
        ),
        ("Nobody is in: where does it go, and can I fetch it?", ["Nobody is in: where does it go", "can I fetch it?"]),
        (
            "Till when can I send it back and when do I get the money?",
            ["Till when can I send it back", "when do I get the money?"],
        ),
    ],
)
def test_each_question_is_a_part(text: str, parts: list[str]) -> None:
    assert parts_of(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "What is your refund policy?",
        "Can I return shoes and socks?",
        "Do you ship to Spain and France?",
        "I have a dog. Can it come?",
        "How about if I need to change the booking, is this possible?",
        "If I cancel, what happens and when do I get my money?",
        "Great. Do they offer parking? I need to know.",
        "What do you want from us, and until when?",
        "Is there a cot, and at what price?",
        "Thanks! Is it 5.50 pounds for delivery?",
        "hello",
        "???",
        "",
    ],
)
def test_one_question_stays_whole(text: str) -> None:
    assert parts_of(text) == [text]


def test_a_flood_of_questions_stays_whole() -> None:
    text = "Is it big? " * 50
    assert parts_of(text) == [text.strip()]
