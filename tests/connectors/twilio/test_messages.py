"""A customer writes on WhatsApp and is answered there; nothing is believed that is not signed, nothing is taken twice."""

from __future__ import annotations

import pytest

from core.db.models import Message
from testing.twilio import signature
from testing.twilio_rig import CUSTOMER, PUBLIC, SHOP, SHOP_SMS, Rig, answer
from testing.waiting import soon


async def test_a_question_is_answered_where_it_was_asked(rig: Rig) -> None:
    await rig.ask("How long does delivery take?", answer("Two to four days."))

    (message,) = rig.twilio.messages
    assert (message.to, message.from_) == (f"whatsapp:{CUSTOMER}", f"whatsapp:{SHOP}")
    assert message.body == "Two to four days."
    assert rig.rasa.heard == ["How long does delivery take?"]


async def test_an_sms_is_answered_by_sms(rig: Rig) -> None:
    rig.rasa.answers.append(answer("Two to four days."))
    await rig.write("Delivery?", From=CUSTOMER, To=SHOP_SMS)

    (message,) = rig.twilio.messages
    assert (message.to, message.from_, message.content) == (CUSTOMER, SHOP_SMS, None)
    assert message.body.startswith("Two to four days.\n\nWas this helpful? Answer 1")


@pytest.mark.parametrize("text", ["ڈیلیوری کب ہوگی؟", "kab tak ayega?", "📦❓", "x" * 3999])
async def test_any_script_and_length_arrives_whole(rig: Rig, text: str) -> None:
    await rig.write(text)

    assert rig.rasa.heard == [text]


@pytest.mark.parametrize("given", [None, "", "forged", signature(PUBLIC + "/channels/twilio/messages", {"Body": "x"})])
async def test_what_is_not_signed_is_refused_and_not_stored(rig: Rig, given: str | None) -> None:
    headers = {} if given is None else {"X-Twilio-Signature": given}
    response = await rig.http.post("/channels/twilio/messages", data=rig.event("text"), headers=headers)

    assert response.status_code == 401
    assert rig.rows(Message) == []


async def test_the_signature_holds_behind_a_proxy_that_says_what_was_asked_for(rig: Rig) -> None:
    fields = rig.event("text")
    signed = signature("https://other.example/channels/twilio/messages", fields)
    headers = {"X-Twilio-Signature": signed, "X-Forwarded-Host": "other.example", "X-Forwarded-Proto": "https"}

    assert (await rig.http.post("/channels/twilio/messages", data=fields, headers=headers)).status_code == 200


async def test_the_same_message_twice_is_answered_once(rig: Rig) -> None:
    fields = rig.event("text")
    rig.rasa.answers.append(answer("Two to four days."))
    assert [await rig.post(fields) for _ in range(3)] == [200, 200, 200]
    await rig.settle()

    assert rig.rasa.heard == ["How long does delivery take?"]
    assert rig.said() == ["Two to four days."]


async def test_a_number_that_is_not_ours_and_an_empty_form_are_refused(rig: Rig) -> None:
    assert await rig.post(rig.event("text", To="whatsapp:+19995550000")) == 404
    assert await rig.post({"AccountSid": "x"}) == 401
    assert await rig.post(rig.event("text", From="whatsapp:nobody")) == 422
    assert (await rig.http.post("/channels/twilio/messages", content=b"x" * 200_000)).status_code == 413
    assert rig.rows(Message) == []


async def test_a_location_an_edit_and_a_group_each_find_their_place(rig: Rig) -> None:
    assert await rig.post(rig.event("location")) == 200
    first = await rig.write("How long does delivery take?")
    assert await rig.post(rig.event("edit", OriginalRepliedMessageSid=first["MessageSid"])) == 200
    assert await rig.post(rig.event("group")) == 200
    await rig.settle()

    said = [m.text for m in rig.rows(Message) if m.speaker == "customer"]
    assert said == [
        "[location: The shop, 1 High Street, London (51.5072, -0.1276)]",
        "How long does delivery take?",
        "How long does express delivery take?",
    ]


async def test_a_long_answer_comes_in_several_messages_that_end_with_sentences(rig: Rig) -> None:
    text = " ".join(f"This is sentence number {n} of a long answer." for n in range(80))
    await rig.ask("Tell me all", answer(text))

    said = rig.said()
    assert len(said) > 3
    assert all(len(each) <= 1000 and each.endswith("answer.") for each in said)
    assert " ".join(said) == text


async def test_a_message_that_is_too_long_is_answered_with_a_sentence(rig: Rig) -> None:
    await rig.write("x" * 4096)

    assert rig.rasa.heard == []
    assert "fewer words" in rig.said()[0]


async def test_a_thousand_messages_from_one_number_cost_little_and_leave_others_alone(rig: Rig) -> None:
    rig.per_minute = 30
    async with rig.running():
        for n in range(1000):
            assert await rig.post(rig.event("text", Body=f"spam {n}")) == 200
        assert await rig.post(rig.event("text", Body="Hello", From="whatsapp:+447700900999")) == 200
        await soon(lambda: not rig.turns._queues)
        await rig.deliverer.idle()

    assert len(rig.rasa.heard) == 31
    assert rig.twilio.said("+447700900999") == ["Hello!"]
    assert sum("a lot at once" in text for text in rig.said()) == 1
