"""From the page to WhatsApp, and whom the visitor is talking to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from core.events import HandoffChanged
from core.handoffs.customer_status import CustomerStatus
from tests.browser.chat_page import ChatPage
from tests.browser.server import ChatServer


@pytest.fixture
def with_whatsapp(server: ChatServer, visit: Callable[..., ChatPage]) -> ChatPage:
    server.restart(whatsapp=True)
    return visit(server.url).open()


def changed(server: ChatServer, state: str, person: str | None = None) -> None:
    """The handoff has another state, and watchers are told."""
    server.turns.standings[server.conversation_id] = CustomerStatus(
        "bot" if state in {"returned", "closed"} else state, person
    )
    event = HandoffChanged("h1", server.conversation_id, state)
    server.do(server.turns.hub.publish, server.conversation_id, event)


def test_without_whatsapp_nothing_is_offered(chat: ChatPage) -> None:
    chat.say("Hello")
    expect(chat.own_rows.last).to_have_attribute("data-state", "sent")
    expect(chat.button("Continue on WhatsApp")).to_have_count(0)


def test_a_visitor_goes_on_there_with_a_number_consent_and_the_code(
    with_whatsapp: ChatPage, server: ChatServer
) -> None:
    chat = with_whatsapp
    expect(chat.button("Continue on WhatsApp")).to_have_count(0)
    chat.say("Hello")
    chat.button("Continue on WhatsApp").click()
    number, problem = chat.panel.get_by_label("Your WhatsApp number"), chat.panel.get_by_role("alert")
    number.fill("07700900123")
    chat.button("Send me a code").click()
    assert server.transfers.asked == []  # without consent nothing leaves the page
    chat.panel.get_by_role("checkbox").check()
    chat.button("Send me a code").click()
    expect(problem).to_contain_text("begins with +")
    number.fill("+447700900123")
    assert not chat.violations()
    chat.button("Send me a code").click()

    code = chat.panel.get_by_label("The code that we sent to +447700900123")
    code.fill("000000")
    chat.button("Continue there").click()
    expect(problem).to_have_text("This code is wrong or too old.")
    assert server.transfers.moved == []
    code.fill("123456")
    chat.button("Continue there").click()
    expect(chat.panel.get_by_text("It goes on in WhatsApp")).to_be_visible()
    assert server.transfers.moved == ["+447700900123"]
    expect(chat.input).to_be_focused()


def test_the_visitor_sees_whom_they_talk_to_also_after_a_reload(chat: ChatPage, server: ChatServer) -> None:
    bar = chat.panel.locator(".standing")
    chat.say_connected("A person please")
    expect(bar).to_be_hidden()
    changed(server, "requested")
    expect(bar).to_have_text("Waiting for a person. You can go on writing.")
    changed(server, "claimed", "Bea")
    expect(bar).to_have_text("Bea has taken your chat and will answer soon.")
    changed(server, "with_person", "Bea")
    expect(bar).to_have_text("You are talking to a person now (Bea).")
    chat.load()
    expect(bar).to_have_text("You are talking to a person now (Bea).")
    assert not chat.violations()
    changed(server, "returned")
    expect(bar).to_have_text("You are talking to the assistant again.")
    chat.say("Thanks")
    expect(bar).to_be_hidden()


def test_a_closed_chat_says_so(chat: ChatPage, server: ChatServer) -> None:
    chat.say_connected("A person please")
    changed(server, "with_person")
    expect(chat.panel.locator(".standing")).to_have_text("You are talking to a person now.")
    changed(server, "closed")
    expect(chat.panel.locator(".standing")).to_have_text("Our team has closed this chat.")
