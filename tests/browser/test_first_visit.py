"""A visitor's first conversation, from the first look to the thumb and the reload."""

from __future__ import annotations

from playwright.sync_api import expect

from core.events import Chunk, TurnEnded
from tests.browser.scripts import CHOICES, shop


def test_first_visit(server, chat):
    server.turns.answering = shop
    assert not server.turns.conversations
    chat.say("How do I return a lamp?").sees("anything unused")
    answer = chat.answers.last
    expect(answer.locator("strong")).to_have_text("anything unused")
    expect(answer.locator("ul").first.locator("li")).to_have_text(["pack it", "post it"])
    link = answer.get_by_role("link", name="the policy")
    expect(link).to_have_attribute("href", "https://shop.example/returns")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(link).to_have_attribute("target", "_blank")
    expect(answer.get_by_role("link", name="Returns and refunds")).to_be_visible()
    expect(chat.own_rows.last).to_contain_text("Sent")

    chat.say("how long?").choose(CHOICES[1])
    expect(chat.own.last).to_have_text(CHOICES[1])
    chat.sees(f"You said: {CHOICES[1]}")
    expect(chat.choice(CHOICES[0])).to_be_disabled()
    assert server.turns.received[-1].press.index == 1

    before = chat.texts()
    chat.page.reload()
    chat.sees(f"You said: {CHOICES[1]}")
    assert chat.texts() == before
    expect(chat.choice(CHOICES[1])).to_be_disabled()


def test_an_answer_is_seen_while_it_is_written(server, chat):
    server.turns.answering = shop
    chat.say_connected("wait for it")
    expect(chat.typing).to_be_visible()
    turn_id = f"t-{server.turns.conversations[server.conversation_id][0].id}"
    server.do(server.turns.hub.publish, server.conversation_id, Chunk(turn_id, "It is **on"))
    expect(chat.draft).to_have_text("It is on")
    expect(chat.typing).to_be_hidden()
    server.do(server.turns.hub.publish, server.conversation_id, Chunk(turn_id, " its way**"))
    expect(chat.draft.locator("strong")).to_have_text("on its way")
    server.do(server.turns.say, server.conversation_id, "It arrives **today**.", turn_id=turn_id)
    server.do(server.turns.hub.publish, server.conversation_id, TurnEnded(turn_id, "answered"))
    chat.sees("It arrives today.")
    expect(chat.typing).to_be_hidden()
    expect(chat.log).not_to_contain_text("on its way")


def test_a_thumb_and_a_comment_reach_the_server_and_stay(server, chat):
    server.turns.answering = shop
    chat.say("How do I return a lamp?").sees("anything unused")
    chat.button("Helpful").click()
    expect(chat.button("Helpful")).to_have_attribute("aria-pressed", "true")
    expect(chat.answers.last).to_contain_text("Thank you for telling us.")
    chat.button("Not helpful").click()
    comment = chat.panel.get_by_label("What was missing or wrong? (optional)")
    expect(comment).to_be_focused()
    comment.fill("It does not say who pays.")
    chat.button("Send comment").click()
    expect(comment).to_have_count(0)
    expect(chat.button("Not helpful")).to_be_focused()
    expect(chat.button("Helpful")).to_have_attribute("aria-pressed", "false")
    given = [(helpful, comment) for _, helpful, comment in server.turns.ratings]
    assert given == [(True, None), (False, None), (False, "It does not say who pays.")]
    chat.page.reload()
    expect(chat.button("Not helpful")).to_have_attribute("aria-pressed", "true")


def test_a_thumb_that_cannot_be_saved_is_taken_back(server, chat):
    server.turns.answering = shop
    chat.say("How do I return a lamp?").sees("anything unused")
    chat.page.route("**/feedback", lambda route: route.abort())
    chat.button("Helpful").click()
    expect(chat.notice).to_have_text("Your rating could not be saved. Please try again.")
    expect(chat.button("Helpful")).to_have_attribute("aria-pressed", "false")


def test_who_only_looks_leaves_no_conversation(server, chat):
    expect(chat.answers).to_have_count(1)
    assert not server.turns.conversations
    chat.input.press_sequentially("H")
    expect(chat.page.locator("rejoinder-chat")).to_have_attribute("data-state", "open")
    assert server.conversation_id


def test_unread_answers_are_counted_on_the_launcher(server, chat):
    server.turns.answering = shop
    chat.say_connected("wait for it")
    expect(chat.own_rows.last).to_contain_text("Sent")
    chat.button("Close chat").click()
    expect(chat.badge).to_be_hidden()
    server.do(server.turns.say, server.conversation_id, "Here it is.")
    server.do(server.turns.say, server.conversation_id, "And one more thing.")
    expect(chat.badge).to_have_text("2")
    expect(chat.launcher).to_have_attribute("aria-label", "Open chat, 2 unread")
    chat.page.reload()
    expect(chat.badge).to_have_text("2")
    chat.open()
    expect(chat.badge).to_be_hidden()
    chat.page.reload()
    chat.sees("And one more thing.")
    expect(chat.badge).to_be_hidden()


def test_two_tabs_show_the_same_conversation(server, chat):
    server.turns.answering = shop
    chat.say("How do I return a lamp?").sees("anything unused")
    second = chat.another_tab()
    second.open().sees("anything unused")
    second.say("Thank you").sees("You said: Thank you")
    chat.sees("You said: Thank you")
    chat.say("Bye").sees("You said: Bye")
    second.sees("You said: Bye")
    assert chat.texts() == second.texts()
    assert len(server.turns.conversations) == 1


def test_a_tab_that_was_open_before_joins_the_conversation(server, chat):
    second = chat.another_tab().open()
    chat.say("Hello")
    expect(chat.own_rows.last).to_contain_text("Sent")
    server.do(server.turns.say, server.conversation_id, "Hello to both tabs")
    second.sees("Hello to both tabs")
    assert len(server.turns.conversations) == 1


def test_what_customers_and_answers_say_is_never_run(server, chat):
    attack = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
    server.turns.answering = lambda turns, where, turn, text: turns.answer(
        where, turn, f"{text} [click](javascript:document.title=1) <b>bold</b> [x](data:text/html,x)"
    )
    chat.say(attack).sees("<img src=x")
    assert "Marlow" in chat.page.title()
    expect(chat.log.locator("img, script, b, a")).to_have_count(0)
    expect(chat.answers.last).to_contain_text("[click](javascript:document.title=1)")


def test_each_message_reads_in_its_own_direction(server, chat):
    server.turns.answering = shop
    chat.say("أين طلبي R104233؟").sees("You said")
    assert chat.style(chat.own.last, "direction") == "rtl"
    chat.say("Where is it?").sees("Where is it?")
    assert chat.style(chat.own.last, "direction") == "ltr"


def test_without_storage_the_chat_still_works(server, visit):
    server.turns.answering = shop
    chat = visit(
        server.url,
        init_script="""
        for (const name of ["localStorage", "sessionStorage"])
            Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
    """,
    )
    chat.open().say("Hello").sees("You said: Hello")
    chat.say("Still here?").sees("You said: Still here?")
    assert len(server.turns.conversations) == 1
