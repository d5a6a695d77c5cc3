"""The end of a chat: ended by the customer, what is asked then, and a new one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from testing.waiting import eventually
from tests.browser.chat_page import ChatPage
from tests.browser.scripts import shop
from tests.browser.server import ChatServer

CSAT, NPS = "How was this chat?", "How likely are you to recommend us to a friend?"


@pytest.fixture
def answered(server: ChatServer, chat: ChatPage) -> ChatPage:
    server.turns.answering = shop
    return chat.say("How do I return a lamp?").sees("anything unused")


def survey(chat: ChatPage, question: str) -> object:
    return chat.panel.get_by_role("group", name=question)


def test_there_is_nothing_to_end_before_something_was_said(chat: ChatPage) -> None:
    expect(chat.button("End chat")).to_be_hidden()


def test_a_chat_is_ended_and_marked_with_the_keyboard(server: ChatServer, answered: ChatPage) -> None:
    server.turns.surveys = ["csat", "nps"]
    answered.button("End chat").press("Enter")
    first = survey(answered, CSAT).get_by_role("radio", name="1 of 5")
    expect(first).to_be_focused()
    assert answered.violations() == []
    send = answered.panel.locator("form.survey").get_by_role("button", name="Send")
    expect(send).to_be_disabled()
    for _ in range(3):
        answered.page.keyboard.press("ArrowRight")
    expect(survey(answered, CSAT).get_by_role("radio", name="4 of 5")).to_be_checked()
    answered.panel.get_by_label("Why? (optional)").fill("It was quick.")
    send.press("Enter")
    expect(survey(answered, NPS)).to_be_visible()
    expect(survey(answered, CSAT)).to_have_count(0)
    assert answered.violations() == []
    answered.panel.locator("form.survey").get_by_role("button", name="No thanks").click()
    expect(survey(answered, NPS)).to_have_count(0)
    expect(answered.button("New chat")).to_be_focused()
    assert server.turns.marks == [("csat", 4, "It was quick."), ("nps", None, None)]


def test_a_new_chat_is_another_conversation_of_the_same_customer(server: ChatServer, answered: ChatPage) -> None:
    answered.button("End chat").click()
    answered.button("New chat").click()
    expect(answered.own).to_have_count(0)
    expect(answered.input).to_be_focused()
    assert len(server.turns.conversations) == 1
    answered.say("How do I return a chair?").sees("anything unused")
    expect(answered.own).to_have_count(1)
    first, second = server.turns.customers.values()
    assert first and first == second
    answered.page.reload()
    expect(answered.own).to_have_count(1)


def test_who_writes_on_goes_on_with_the_same_chat(server: ChatServer, answered: ChatPage) -> None:
    server.turns.surveys = ["csat"]
    answered.button("End chat").click()
    expect(survey(answered, CSAT)).to_be_visible()
    answered.say("One more thing").sees("You said: One more thing")
    expect(survey(answered, CSAT)).to_have_count(0)
    assert len(server.turns.conversations) == 1 and not server.turns.ended


def test_a_chat_that_ended_meanwhile_asks_when_it_is_opened_and_never_takes_the_focus(
    server: ChatServer, answered: ChatPage
) -> None:
    server.turns.surveys = ["csat"]
    answered.button("Close chat").click()
    server.turns.ended.add(server.conversation_id)
    answered.open()
    expect(survey(answered, CSAT)).to_be_visible()
    expect(answered.input).to_be_focused()
    answered.page.reload()
    expect(survey(answered, CSAT)).to_be_visible()


def test_a_mark_that_cannot_be_saved_can_be_given_again(server: ChatServer, answered: ChatPage) -> None:
    server.turns.surveys = ["csat"]
    answered.button("End chat").click()
    answered.page.route("**/surveys/csat", lambda route: route.abort())
    survey(answered, CSAT).get_by_role("radio", name="5 of 5").check(force=True)
    send = answered.panel.locator("form.survey").get_by_role("button", name="Send")
    send.click()
    expect(answered.notice).to_have_text("Your answer could not be saved. Please try again.")
    answered.page.unroute("**/surveys/csat")
    send.click()
    eventually(lambda: server.turns.marks == [("csat", 5, None)])
    expect(answered.notice).to_have_text("")


def test_it_fits_a_phone(server: ChatServer, visit: Callable[..., ChatPage]) -> None:
    server.turns.answering, server.turns.surveys = shop, ["nps"]
    chat = visit(server.url, viewport={"width": 320, "height": 568}).open()
    chat.say("How do I return a lamp?").sees("anything unused")
    chat.button("End chat").click()
    box = survey(chat, NPS).bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 320
    expect(chat.input).to_be_visible()
    assert chat.violations() == []
