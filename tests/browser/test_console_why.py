"""The page that explains answers, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.console_page import PHONE, WIDE, address, enter, staff
from tests.console.test_corrections_pages import QUESTION, answered
from tests.knowledge.review.doubles import add_entry

__all__ = ["address", "enter", "staff"]


def test_a_message_is_explained_by_keys_alone(sqlite, enter):
    add_entry(sqlite, "How much is delivery?", "It is £4.")
    console = enter().go("/entries")
    console.page.get_by_role("link", name="Why?").focus()
    console.press("Enter")
    expect(console.page.get_by_role("heading", name="Why is it answered like this?")).to_be_visible()
    console.press("/")
    console.page.keyboard.type("how much is delivery")
    console.press("Enter")
    expect(console.page.get_by_text("these are the very words of a question")).to_be_visible()
    expect(console.page.get_by_role("row", name="How much is delivery?")).to_be_visible()
    expect(console.page.get_by_role("searchbox")).to_have_value("how much is delivery")


def test_a_message_of_a_conversation_leads_there_and_back(sqlite, enter):
    talk, _, _ = answered(sqlite, QUESTION)
    console = enter().go(f"/conversations/{talk}")
    console.page.get_by_role("link", name="Why?").click()
    expect(console.page.get_by_role("heading", name="How it was answered")).to_be_visible()
    console.page.get_by_role("link", name="the conversation").click()
    expect(console.page.get_by_role("heading", name="Conversation")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "narrow"])
def test_axe_finds_nothing_and_nothing_sticks_out(sqlite, staff, enter, scheme, size):
    talk, _, _ = answered(sqlite, QUESTION)
    section = "\n\n".join(f"Paragraph {n}: " + "we wrap gifts in paper and send them. " * 12 for n in range(4))
    add_entry(sqlite, "How are gifts wrapped and sent to people abroad who have no letter box?", section)
    add_entry(sqlite, "w" * 150, "y" * 300)
    console = enter(color_scheme=scheme, bypass_csp=True, **size).go(f"/conversations/{talk}")
    link = console.page.get_by_role("link", name="Why?").get_attribute("href").removeprefix("/console")
    for path in (link, "/why", "/why?text=How+do+you+wrap+gifts+for+people+abroad%3F", f"/why?text={'x' * 900}"):
        console.go(path)
        for summary in console.page.locator("main details > summary").all():
            summary.click()
        assert console.violations() == [], path[:60]
        assert console.page.evaluate("document.documentElement.scrollWidth") <= size["viewport"]["width"], path[:60]
