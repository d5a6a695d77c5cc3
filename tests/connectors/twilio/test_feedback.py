"""A rating on WhatsApp or SMS belongs to the answer that the customer means."""

from __future__ import annotations

import pytest

from connectors.twilio.keywords import rating_in, wants_messages
from core.conversations import lifecycle
from core.db.models import Address, Conversation, Delivery, Turn
from core.feedback import settings
from testing.twilio_rig import CUSTOMER, SHOP_SMS, TENANT, Rig, answer

A, B = "Two to four days.", "It is five pounds."


async def test_two_buttons_under_an_answer_bind_to_it(rig: Rig) -> None:
    await rig.ask("How long?", answer(A))
    await rig.ask("How much?", answer(B))
    first, second = rig.twilio.messages
    assert [title for title, _ in first.buttons] == ["👍 Helpful", "👎 Not helpful"]

    await press(rig, second.buttons[1])
    await press(rig, first.buttons[0])  # late, and in the other order

    assert rig.ratings() == {A: True, B: False}
    assert rig.said()[2:] == ["Thank you, that helps us to get better."] * 2
    assert rig.rasa.heard == ["How long?", "How much?"]


async def test_a_rating_can_be_changed_and_is_thanked_for_once_and_a_replay_does_not_undo_it(rig: Rig) -> None:
    await rig.ask("How long?", answer(A))
    up, down = rig.twilio.messages[0].buttons
    first = await press(rig, up)
    await press(rig, down)
    await rig.post(first)
    await rig.settle()

    assert rig.ratings() == {A: False}
    assert sum("Thank you" in text for text in rig.said()) == 1


@pytest.mark.parametrize(
    ("text", "helpful"),
    [
        ("👍", True), ("👍🏽", True), ("👍👍", True), ("1", True), ("Yes!", True), ("ji haan", True), ("جی ہاں", True),
        ("👎", False), ("2", False), ("no", False), ("Nahi", False), ("نہیں", False), ("not helpful", False),
    ],
)  # fmt: skip
async def test_words_rate_the_last_answer(rig: Rig, text: str, helpful: bool) -> None:
    await rig.ask("How long?", answer(A))
    rig.read_long_ago()
    await rig.write(text)

    assert rig.ratings() == {A: helpful}
    assert rig.rasa.heard == ["How long?"]


async def test_a_quoted_answer_is_the_one_that_is_rated(rig: Rig) -> None:
    await rig.ask("How long?", answer(A))
    await rig.ask("How much?", answer(B))
    rig.read_long_ago()
    await rig.write("no", OriginalRepliedMessageSid=rig.twilio.messages[0].sid)

    assert rig.ratings() == {A: False}


async def test_a_reaction_is_a_rating_or_nothing(rig: Rig) -> None:
    await rig.ask("How long?", answer(A))
    quoted = {"OriginalRepliedMessageSid": rig.twilio.messages[0].sid}
    await rig.post(rig.event("other_reaction", **quoted))
    assert rig.ratings() == {}
    await rig.post(rig.event("reaction", **quoted))
    await rig.settle()

    assert rig.ratings() == {A: True}
    assert rig.rasa.heard == ["How long?"]


async def test_an_answer_that_the_customer_cannot_have_read_yet_is_not_rated_by_words(rig: Rig) -> None:
    await rig.ask("How long?", answer(A))
    rig.read_long_ago()
    await rig.ask("How much?", answer(B))
    await rig.write("👍")  # at the very moment in which B was sent
    assert rig.ratings() == {A: True}

    await rig.status("read", rig.rows(Delivery)[1])
    await rig.write("👎")
    assert rig.ratings() == {A: True, B: False}


async def test_a_yes_to_a_question_of_the_bot_goes_to_the_bot(rig: Rig) -> None:
    await rig.ask("Cancel it", answer("Shall I cancel your order?", outcome="action"))
    rig.read_long_ago()
    await rig.write("yes")
    assert rig.rasa.heard[-1] == "yes"

    await rig.ask("Help", answer("Which?", "Refund", "Exchange", outcome="clarified"))
    rig.read_long_ago()
    await rig.write("1")
    assert rig.rasa.heard[-1] == "/choose0"
    assert rig.ratings() == {}


async def test_a_rating_after_the_conversation_has_ended_finds_its_answer_and_opens_no_other(rig: Rig) -> None:
    await rig.ask("How long?", answer(A))
    rig.read_long_ago()
    with rig.database.session() as session:
        lifecycle.close_conversation(session, rig.rows(Conversation)[0].id)
    await rig.write("haan ji")

    assert rig.ratings() == {A: True}
    assert len(rig.rows(Conversation)) == 1


async def test_a_button_of_somebody_elses_answer_rates_nothing(rig: Rig) -> None:
    await rig.ask("How long?", answer(A))
    payload = rig.twilio.messages[0].buttons[0]
    await press(rig, payload, From="whatsapp:+447700900999")

    assert rig.ratings() == {}


async def test_who_is_not_to_be_asked_is_not_asked(rig: Rig) -> None:
    with rig.database.session() as session:
        settings.update_learning_settings(session, TENANT, {"ask_feedback": "never"}, "test")
    await rig.ask("How long?", answer(A))
    rig.read_long_ago()

    assert rig.twilio.messages[0].buttons == []
    await rig.write("yes")
    assert rig.rasa.heard[-1] == "yes"


async def test_an_sms_asks_in_words(rig: Rig) -> None:
    sms = {"From": CUSTOMER, "To": SHOP_SMS}
    await rig.ask("How long?", answer(A), **sms)
    rig.read_long_ago()
    await rig.write("1", **sms)

    assert "Answer 1 for yes" in rig.said()[0]
    assert [row.rateable for row in rig.rows(Turn)] == [True]
    assert rig.ratings() == {A: True}


async def test_stop_and_start(rig: Rig) -> None:
    await rig.write("Hi")
    stop = rig.event("stop")
    await rig.post(stop)
    await rig.settle()
    assert "no more messages" in rig.said()[-1]

    await rig.ask("Are you there?", answer(A))
    assert len(rig.said()) == 2
    assert "does not want" in rig.rows(Delivery)[-1].error

    await rig.write("START")
    await rig.post(stop)  # again, from before
    await rig.ask("How long?", answer(B))
    assert rig.said()[2:] == ["Welcome back. How can I help?", B]


async def test_who_opted_out_at_twilio_is_noted(rig: Rig) -> None:
    rig.twilio.opted_out.add(f"whatsapp:{CUSTOMER}")
    await rig.ask("How long?", answer(A))

    assert rig.rows(Address)[0].opted_out_at is not None


@pytest.mark.parametrize(
    "text", ["", "12", "yes please send it", "no, where is my order", "1 parcel", "👍 and now?", "stop the delivery"]
)
def test_more_than_a_word_is_a_message(text: str) -> None:
    assert rating_in(text) is None
    assert wants_messages(text) is None


async def press(rig: Rig, button: tuple[str, str], **changes: str) -> dict[str, str]:
    fields = rig.event("button", ButtonText=button[0], Body=button[0], ButtonPayload=button[1], **changes)
    assert await rig.post(fields) == 200
    await rig.settle()
    return fields
