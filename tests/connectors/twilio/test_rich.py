"""Pictures, files, places, links, cards and choices of the bot, as a phone shows them."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from core.db.models import Delivery
from testing.twilio_rig import CUSTOMER, SHOP_SMS, Rig

SMS = {"From": CUSTOMER, "To": SHOP_SMS}
LAMPS = "https://shop.example/lamps"
HERON = {
    "title": "Heron", "subtitle": "Brass", "image_url": f"{LAMPS}/heron.png",
    "buttons": [{"title": "Buy", "payload": "/buy_heron"}, {"title": "Read on", "type": "web_url", "url": LAMPS}],
}  # fmt: skip
OWL = {"title": "Owl", "image_url": f"{LAMPS}/owl.svg", "buttons": [{"title": "Buy", "payload": "/buy_owl"}]}


def said(**parts: Any) -> dict[str, Any]:
    """An utterance, as Rasa hands it over our channel."""
    return {"recipient_id": "c", "whole": True, **parts}


async def test_files_and_places_are_shown_on_whatsapp(rig: Rig) -> None:
    place = {"type": "location", "payload": {"latitude": 51.5, "longitude": -0.1, "name": "Our shop"}}
    answer = [
        said(text="Our lamp.", image=f"{LAMPS}/heron.png"),
        said(attachment={"type": "video", "payload": {"url": f"{LAMPS}/how.mp4"}}),
        said(attachment={"type": "file", "payload": {"url": f"{LAMPS}/sizes.pdf"}}),
        said(attachment=place),
    ]
    await rig.ask("Show me", answer)

    sent = [(message.body, message.media, message.location) for message in rig.twilio.messages]
    assert sent == [
        ("", f"{LAMPS}/heron.png", None),
        ("Our lamp.", None, None),
        ("", f"{LAMPS}/how.mp4", None),
        ("", f"{LAMPS}/sizes.pdf", None),
        ("Our shop", None, "geo:51.5,-0.1|Our shop"),
    ]


async def test_an_sms_tells_all_of_it_by_its_address(rig: Rig) -> None:
    place = {"type": "location", "payload": {"latitude": 51.5, "longitude": -0.1, "name": "Our shop"}}
    link = {"title": "The shop", "type": "web_url", "url": LAMPS}
    answer = [
        said(text="Our lamp.", image=f"{LAMPS}/heron.png", buttons=[link, {"title": "More", "payload": "/more"}]),
        said(attachment=place),
    ]
    await rig.ask("Show me", answer, **SMS)

    assert rig.said() == [
        f"Our lamp.\n\nheron: {LAMPS}/heron.png\n\nThe shop: {LAMPS}\n\n1. More",
        "Our shop\nhttps://maps.google.com/?q=51.5,-0.1",
    ]
    await rig.write("1", **SMS)
    assert rig.rasa.heard[-1] == "/more"


async def test_a_carousel_is_a_picture_for_each_card_and_then_the_choices(rig: Rig) -> None:
    await rig.ask("Show me", [said(text="Our lamps", elements=[HERON, OWL])])

    intro, heron, owl, choices = rig.twilio.messages
    assert intro.body == "Our lamps"
    assert (heron.body, heron.media) == (f"Heron\nBrass\nRead on: {LAMPS}", f"{LAMPS}/heron.png")
    assert (owl.body, owl.media) == (f"Owl\n{LAMPS}/owl.svg", None)  # of a kind that WhatsApp does not show
    assert choices.body == "Please choose:"
    (_, first), (title, second) = choices.buttons
    assert title == "Owl: Buy"
    await rig.post(rig.event("button", ButtonPayload=second, ButtonText=title, Body=title))
    await rig.settle()
    assert rig.rasa.heard[-1] == "/buy_owl"
    assert first.endswith(":0")


async def test_a_carousel_as_an_sms_can_be_answered_by_number(rig: Rig) -> None:
    await rig.ask("Show me", [said(text="Our lamps", elements=[HERON, OWL])], **SMS)

    heron = f"Heron\nBrass\n{LAMPS}/heron.png\nRead on: {LAMPS}"
    assert rig.said() == [f"Our lamps\n\n{heron}\n\nOwl\n{LAMPS}/owl.svg\n\n1. Heron: Buy\n2. Owl: Buy"]
    await rig.write("2", **SMS)
    assert rig.rasa.heard[-1] == "/buy_owl"


@pytest.mark.parametrize(("count", "kind"), [(2, "twilio/quick-reply"), (7, "twilio/list-picker")])
async def test_choices_without_a_text_come_with_a_sentence(rig: Rig, count: int, kind: str) -> None:
    payload = "/choose" + '{"note": "' + "x" * 10_000 + '"}'
    buttons = [{"title": f"Choice {n}", "payload": payload} for n in range(count)]
    await rig.ask("Show me", [said(buttons=buttons)])

    (message,) = rig.twilio.messages
    assert message.body == "Please choose:"
    assert list((message.content or {})["types"]) == [kind]
    title, pressed = message.buttons[1]
    fields = {"ButtonPayload": pressed, "ButtonText": title, "Body": title}
    await rig.post(rig.event("button", **fields))
    await rig.settle()
    assert rig.rasa.heard[-1] == payload


async def test_a_picture_that_twilio_refuses_is_told_by_its_address(rig: Rig) -> None:
    rig.twilio.plan.append(21211)
    await rig.ask("Show me", [said(text="Our lamp.", image=f"{LAMPS}/heron.png")])

    assert rig.said() == [f"heron: {LAMPS}/heron.png", "Our lamp."]
    assert {row.state for row in rig.rows(Delivery)} == {"sent"}


async def test_what_is_for_the_page_alone_is_skipped_with_a_line_in_the_log(rig: Rig) -> None:
    with capture_logs() as logged:
        await rig.ask("Show me", [said(text="I open it."), said(custom={"open": "cart"})])
    assert rig.said() == ["I open it."]
    assert "a custom payload is for the widget's page alone" in [line["event"] for line in logged]


async def test_who_would_get_nothing_at_all_is_told_where_to_look(rig: Rig) -> None:
    await rig.ask("Show me", [said(custom={"open": "cart"})])
    assert rig.said() == ["I have something to show you that works only in the chat on our website."]


async def test_the_rating_is_asked_below_what_the_customer_can_see(rig: Rig) -> None:
    note = {"rejoinder": {"outcome": "answered"}}
    await rig.ask("Show me", [said(image=f"{LAMPS}/heron.png", custom=note), said(custom={"open": "cart"})])

    picture, rating = rig.twilio.messages
    assert (picture.media, rating.body.partition("?")[0]) == (f"{LAMPS}/heron.png", "Was this helpful")
    assert [title for title, _ in rating.buttons] == ["👍 Helpful", "👎 Not helpful"]
