"""Nothing that was typed is lost, and nothing is answered twice, whatever the network does."""

from __future__ import annotations

from playwright.sync_api import expect

from testing.waiting import eventually
from tests.browser.scripts import shop


def test_a_failed_message_stays_and_is_sent_on_retry(server, chat):
    server.turns.answering = shop
    chat.page.route("**/api/chat/messages", lambda route: route.abort())
    chat.say("Where is my parcel?")
    failed = chat.own_rows.last
    expect(failed).to_contain_text("The message could not be sent.")
    expect(chat.button("Retry")).to_be_in_viewport()
    chat.page.unroute("**/api/chat/messages")
    chat.button("Retry").click()
    chat.sees("You said: Where is my parcel?")
    expect(chat.own).to_have_count(1)
    expect(chat.notice).to_be_empty()
    assert len(server.turns.received) == 1


def test_a_message_whose_acknowledgement_was_lost_is_not_sent_twice(server, chat):
    server.turns.answering = shop

    def swallow(route):
        route.fetch()
        route.abort()

    chat.page.route("**/api/chat/messages", swallow)
    chat.say("Where is my parcel?").sees("You said: Where is my parcel?")
    expect(chat.own).to_have_count(1)
    expect(chat.own_rows.last).to_have_attribute("data-state", "sent")
    assert len(server.turns.received) == 1


def test_a_failed_message_survives_a_reload_and_can_be_edited(server, chat):
    server.turns.answering = shop
    chat.page.route("**/api/chat/messages", lambda route: route.abort())
    chat.say("Where is my parcle?")
    expect(chat.own_rows.last).to_have_attribute("data-state", "failed")
    chat.page.unroute("**/api/chat/messages")
    chat.page.reload()
    expect(chat.own_rows.last).to_have_attribute("data-state", "failed")
    chat.button("Edit").click()
    expect(chat.own).to_have_count(0)
    expect(chat.input).to_have_value("Where is my parcle?")
    expect(chat.input).to_be_focused()
    chat.say("Where is my parcel?").sees("You said: Where is my parcel?")


def test_what_is_being_written_survives_a_reload(server, chat):
    chat.input.fill("Half a sent")
    chat.page.reload()
    expect(chat.input).to_have_value("Half a sent")


def test_a_message_that_is_too_long_says_so(server, chat):
    chat.input.fill("a" * 20_000)
    chat.input.press("Enter")
    expect(chat.own_rows.last).to_contain_text("The message is too long: 20000 characters, at most 4000.")
    expect(chat.button("Edit")).to_be_visible()


def test_a_server_that_restarts_is_found_again(server, chat):
    server.turns.answering = shop
    chat.say("Hello").sees("You said: Hello")
    server.stop()
    expect(chat.notice).to_have_text("Connection lost. Reconnecting…")
    chat.say("Are you there?")
    expect(chat.own_rows.last).to_have_attribute("data-state", "failed")
    server.turns.say(server.conversation_id, "Said while you were away")
    server.start()
    chat.sees("Said while you were away")
    expect(chat.notice).to_be_empty()
    chat.button("Retry").click()
    chat.sees("You said: Are you there?")
    greeting, *said = chat.texts()
    assert "welcome" in greeting
    assert said == [
        "Hello",
        "You said: Hello",
        "Said while you were away",
        "Are you there?",
        "You said: Are you there?",
    ]


def test_a_session_that_is_gone_is_replaced_and_the_message_still_sent(server, chat):
    server.turns.answering = shop
    chat.say("Hello").sees("You said: Hello")
    server.turns.conversations.clear()
    server.restart(secret="a new secret")
    eventually(lambda: server.turns.conversations)
    expect(chat.log).to_contain_text("Your earlier chat has expired, so this is a new one.")
    chat.say("Hello again").sees("You said: Hello again")
    expect(chat.own).to_have_text(["Hello again"])


def test_a_message_that_finds_its_session_gone_opens_another(server, chat):
    server.turns.answering = shop
    chat.say("Hello").sees("You said: Hello")
    chat.page.evaluate("""() => {
        const key = Object.keys(localStorage).find((name) => name.endsWith(":session"));
        localStorage.setItem(key, JSON.stringify({ ...JSON.parse(localStorage.getItem(key)), token: "forged" }));
    }""")
    chat.say("Hello again").sees("You said: Hello again")
    assert [inbound.text for inbound in server.turns.received] == ["Hello", "Hello again"]
    assert len(server.turns.conversations) == 2


def test_a_token_that_expired_overnight_starts_anew(server, chat):
    server.turns.answering = shop
    chat.say("Hello").sees("You said: Hello")
    server.restart(secret="a new secret")
    chat.page.goto("about:blank")
    chat.load()
    expect(chat.log).to_contain_text("Your earlier chat has expired, so this is a new one.")
    chat.say("Good morning").sees("You said: Good morning")


def test_a_flood_is_told_to_wait_and_keeps_its_messages(server, visit):
    server.restart(messages_per_minute=2)
    chat = visit(server.url).open()
    for number in range(3):
        chat.say(f"Hello {number}")
    expect(chat.own_rows.last).to_contain_text("That was a lot at once. Please wait")
    expect(chat.button("Retry")).to_be_visible()
    assert len(server.turns.received) == 2


def test_messages_arrive_in_the_order_in_which_they_were_written(server, chat):
    for number in range(6):
        chat.say(f"Message {number}")
    expect(chat.own_rows.last).to_contain_text("Sent")
    assert [inbound.text for inbound in server.turns.received] == [f"Message {number}" for number in range(6)]
