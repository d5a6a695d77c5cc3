"""The first visit again, this time with the real bot behind the page."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from testing.instance import Instance
from tests.browser.chat_page import ChatPage


def test_a_first_visit(bot: Instance, visit: Callable[..., ChatPage]) -> None:
    page = visit(bot.url).open()
    page.say("How long does delivery take?").sees("working days")
    page.button("Helpful").last.click()
    page.say("Where is my order?").sees("order number")
    page.say("R104233").sees("e-mail")
    page.say("ada@example.com").sees("on its way")
    page.say("What is the airspeed of an unladen swallow?").sees("don't know")
    page.choose("Talk to a person").sees("person for you")
    page.say("It is about my sofa.")
    expect(page.own_rows.last).to_contain_text("Sent")
    said = page.texts()
    page.load()
    if not page.panel.is_visible():
        page.open()
    expect(page.answers.last).to_contain_text("person for you")
    assert page.texts() == said
