"""The console in a real browser: keys, dialogs, colours, small screens, no complaints."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.console_page import PHONE, WIDE, address, enter, staff
from tests.knowledge.review.doubles import add_entry, add_item, item, phrasings, served

__all__ = ["address", "enter", "staff"]


def test_the_queue_is_worked_through_by_keys_alone(sqlite, enter):
    entry = add_entry(sqlite)
    near = [{"entry_id": entry, "similarity": 0.8, "contradicts": True}]
    ids = [add_item(sqlite, f"Question {n}?", effect=9.0 - n, near=near) for n in range(5)]
    console = enter().go("/review").chosen("Question 0?")
    console.press("j").chosen("Question 1?").press("k").chosen("Question 0?")
    console.press("a").told("Approved: “Question 0?”. It is live.").chosen("Question 1?")
    assert "Question 0?" in served(sqlite)
    console.press("u").chosen("Question 0?")
    assert "Question 0?" not in served(sqlite)
    console.press("e").page.get_by_role("textbox", name="Answer").fill("It costs £6.")
    console.page.get_by_role("button", name="Save").click()
    console.chosen("Question 0?").press("a").told("Approved").chosen("Question 1?")
    assert served(sqlite)["Question 0?"] == "It costs £6."
    console.press("m")
    expect(console.page.get_by_role("dialog", name="Merge into an entry")).to_be_visible()
    console.press("Enter").told("Merged").chosen("Question 2?")
    assert phrasings(sqlite, entry) == ["Is it wrapped?", "Question 1?"]
    console.press("r")
    console.page.keyboard.type("not right")
    console.press("Enter").told("Rejected").chosen("Question 3?")
    console.press("s", "Tab", "Enter").told("Snoozed").chosen("Question 4?")
    console.press("?")
    expect(console.page.get_by_role("dialog", name="Keys")).to_be_visible()
    console.press("Escape", "/")
    expect(console.page.get_by_placeholder("Search the queue")).to_be_focused()
    console.page.keyboard.type("area")
    assert [item(sqlite, id_).status for id_ in ids] == ["approved", "merged", "rejected", "snoozed", "open"]


def test_two_reviewers_at_once_and_the_second_is_told(sqlite, enter):
    add_item(sqlite, "Question?")
    ana, ben = enter().go("/review"), enter().go("/review")
    ana.chosen("Question?").press("a").told("Approved")
    ben.chosen("Question?").press("a").told("While you looked at it, this item was approved")
    assert len(served(sqlite)) == 1


def test_an_entry_shows_what_each_version_changed(sqlite, enter):
    entry = add_entry(sqlite)
    console = enter().go(f"/entries/{entry}").press("e")
    console.page.get_by_role("textbox", name="Answer").fill("No, hardly ever.")
    console.page.get_by_role("button", name="Save").click()
    expect(console.page.get_by_role("status")).to_contain_text("Saved as version 2 and live.")
    expect(console.page.locator("ins")).to_have_text("hardly ever")
    expect(console.page.locator("del")).to_have_text("never")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "narrow"])
def test_axe_finds_nothing_and_nothing_sticks_out(sqlite, enter, scheme, size):
    entry = add_entry(sqlite)
    near = [{"entry_id": entry, "similarity": 0.8, "contradicts": True}]
    said = [{"conversation_id": "c1", "message_id": "m1", "question": "wrap? " * 30, "answer": "x" * 200}]
    id_ = add_item(sqlite, "Do you gift wrap? " * 8, "Other", near=near, evidence=said, intent="gifts")
    console = enter(color_scheme=scheme, bypass_csp=True, **size)
    for path in ("/", "/review", f"/review/{id_}", "/entries", f"/entries/{entry}", "/entries/new", "/users", "/settings", "/account", "/none"):  # fmt: skip
        console.go(path)
        assert console.violations() == [], path
        assert console.page.evaluate("document.documentElement.scrollWidth") <= size["viewport"]["width"], path
    console.go(f"/review/{id_}")
    for name in ("Edit", "Merge", "Snooze", "Reject"):
        console.page.get_by_role("group", name="Decide").get_by_role("button", name=name).click()
        assert console.violations() == [], name
        console.press("Escape")
