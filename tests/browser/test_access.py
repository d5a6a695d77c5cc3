"""For everyone: keyboard, screen reader, small screens, dark rooms, other pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.scripts import CHOICES, shop
from tests.browser.server import page_of_another_shop

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}


def test_keyboard_only(server, visit):
    server.turns.answering = shop
    chat = visit(server.url)
    chat.launcher.focus()
    press = chat.page.keyboard.press
    press("Enter")
    expect(chat.input).to_be_focused()
    chat.page.keyboard.type("how")
    press("Shift+Enter")
    chat.page.keyboard.type("how long?")
    press("Enter")
    expect(chat.own.last).to_have_text("how\nhow long?")
    expect(chat.choice(CHOICES[0])).to_be_enabled()
    for _ in CHOICES:
        press("Shift+Tab")
    expect(chat.choice(CHOICES[0])).to_be_focused()
    press("Enter")
    chat.sees(f"You said: {CHOICES[0]}")
    expect(chat.input).to_be_focused()
    press("Shift+Tab")
    expect(chat.button("Not helpful")).to_be_focused()
    assert chat.style(chat.button("Not helpful"), "outlineStyle") == "solid"
    press("Space")
    expect(chat.panel.get_by_label("What was missing or wrong? (optional)")).to_be_focused()
    press("Escape")
    expect(chat.panel).to_be_hidden()
    expect(chat.launcher).to_be_focused()


def test_a_screen_reader_is_told_what_happens(server, chat):
    server.turns.answering = shop
    expect(chat.panel).to_have_accessible_name("Marlow & Finch care")
    expect(chat.log).to_have_attribute("aria-live", "polite")
    expect(chat.launcher).to_have_attribute("aria-expanded", "true")
    chat.say_connected("wait for it")
    expect(chat.panel.get_by_text("The assistant is typing")).to_have_count(1)
    expect(chat.log).to_contain_text("You said:")
    expect(chat.log).to_contain_text("Assistant said:")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [{"viewport": {"width": 1280, "height": 800}}, PHONE], ids=["wide", "narrow"])
def test_axe_finds_nothing(server, visit, scheme, size):
    server.turns.answering = shop
    chat = visit(server.url, color_scheme=scheme, bypass_csp=True, **size)
    assert chat.violations() == []
    chat.open().say("How do I return a lamp?").sees("anything unused")
    chat.button("Not helpful").click()
    expect(chat.button("Send comment")).to_be_visible()
    assert chat.violations() == []
    chat.say("how long?")
    expect(chat.choice(CHOICES[0])).to_be_enabled()
    chat.page.route("**/api/chat/messages", lambda route: route.abort())
    chat.say("lost")
    expect(chat.button("Retry")).to_be_visible()
    assert chat.violations() == []


def test_dark_rooms_get_a_dark_panel(server, visit):
    light, dark = (visit(server.url, color_scheme=scheme).open() for scheme in ("light", "dark"))
    colours = [chat.style(chat.panel, "backgroundColor") for chat in (light, dark)]
    assert colours == ["rgb(247, 246, 242)", "rgb(19, 22, 21)"]


def test_the_page_can_decide_the_theme_itself(server, visit):
    chat = visit(server.url, color_scheme="dark").open()
    _set(chat.page, "theme", "light")
    assert chat.style(chat.panel, "backgroundColor") == "rgb(247, 246, 242)"


def test_the_pages_colour_is_taken_with_readable_words_on_it(server, chat):
    _set(chat.page, "accent", "#ffd84d")
    header = chat.panel.locator(".head")
    assert chat.style(header, "backgroundColor") == "rgb(255, 216, 77)"
    assert chat.style(header, "color") == "rgb(17, 17, 17)"
    _set(chat.page, "accent", "red;} body{display:none")
    assert chat.style(header, "backgroundColor") == "rgb(36, 89, 75)"


def test_a_small_screen_is_filled(server, visit):
    chat = visit(server.url, **PHONE).open()
    assert chat.panel.bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 740}
    expect(chat.launcher).to_be_hidden()
    chat.button("Close chat").click()
    expect(chat.launcher).to_be_visible()
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize(
    "body",
    [
        '<script src="{url}/widget.js" async data-title="Ask us" data-position="left"></script>',
        '<rejoinder-chat data-title="Ask us" data-position="left"></rejoinder-chat><script src="{url}/widget.js"></script>',
    ],
    ids=["one tag", "by hand"],
)
def test_another_page_embeds_it(server, visit, body):
    with page_of_another_shop(body.format(url=server.url)) as shop_url:
        server.restart(allowed_origins=frozenset({shop_url}))
        server.turns.answering = shop
        chat = visit(shop_url)
        expect(chat.page.locator("rejoinder-chat")).to_have_count(1)
        assert chat.launcher.bounding_box()["x"] == 20
        chat.open().say("Hello").sees("You said: Hello")
        expect(chat.panel).to_have_accessible_name("Ask us")


def test_a_page_that_is_not_on_the_list_is_told_so(server, visit):
    with page_of_another_shop(f'<script src="{server.url}/widget.js" async></script>') as shop_url:
        chat = visit(shop_url).open()
        chat.say("Hello")
        expect(chat.own_rows.last).to_contain_text("This page is not allowed to open a chat.")
        assert not server.turns.conversations


def _set(page: Page, name: str, value: str) -> None:
    page.locator("rejoinder-chat").evaluate(
        "(element, [name, value]) => { element.dataset[name] = value; }", [name, value]
    )
