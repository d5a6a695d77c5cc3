"""The inbox in a real browser, with a customer in another one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Locator, expect

from core.handoffs.staff import canned_replies
from testing.services import free_port
from tests.browser.console_page import PHONE, WIDE, Console, enter
from tests.browser.server import ThreadServer
from tests.console.inbox_world import ASKED, InboxWorld
from tests.console.staff import ANA, BEN, PASSWORD
from tests.knowledge.review.doubles import T

__all__ = ["enter"]


@dataclass
class Served(ThreadServer):
    """The world's app in a thread; may go down and come back on its port."""

    world: InboxWorld
    port: int

    def app(self) -> FastAPI:
        return self.world.app

    def do(self, work: Any) -> Any:
        """A coroutine, in the server's loop, or in one of its own while it is down: this thread's is Playwright's."""
        if self._thread.is_alive():
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)
        with ThreadPoolExecutor(1) as other:
            return other.submit(asyncio.run, work).result(timeout=10)


@pytest.fixture
def world(sqlite) -> InboxWorld:
    return InboxWorld(sqlite)


@pytest.fixture
def served(world) -> Iterator[Served]:
    served = Served(world, free_port())
    served.start()
    yield served
    served.stop()


@pytest.fixture
def address(served) -> str:
    return f"http://127.0.0.1:{served.port}"


def box(console: Console) -> Locator:
    return console.page.get_by_label("Your text")


def items(console: Console) -> Locator:
    return console.page.locator("#timeline > li")


def test_the_whole_way_from_asking_to_the_bot_again(world, address, enter, visit):
    desk = enter().go("/inbox")
    expect(desk.page.locator("#list")).to_contain_text("Nobody waits.")
    chat = visit(address).open()
    world.rasa.answers.append(list(ASKED))
    chat.say_connected("A person please").sees("A person comes.")
    expect(desk.page).to_have_title("(1) Inbox · Rejoinder")
    expect(desk.page.locator("#announcer")).to_contain_text("waits for a person")
    desk.page.locator("#arrival a").click()
    expect(desk.page.locator("#talk-head")).to_contain_text("waits")
    desk.press("c")
    expect(desk.page.locator("#talk-head")).to_contain_text("yours")
    expect(desk.page).to_have_title("Inbox · Rejoinder")

    chat.input.fill("It is u")
    expect(desk.page.locator("#customer-typing")).to_contain_text("is writing")
    chat.say("It is urgent")
    expect(items(desk).last).to_contain_text("It is urgent")
    desk.press("r")
    box(desk).press_sequentially("I am on it.")
    expect(chat.panel.get_by_text("The support team is typing")).to_have_count(1)
    desk.press("Enter")
    expect(chat._find(".row.agent").last).to_contain_text("I am on it.")
    expect(box(desk)).to_have_value("")
    expect(items(desk).last).to_contain_text("Read")
    desk.press("Escape", "n")
    desk.page.keyboard.type("A secret among us")
    desk.press("Enter")
    expect(items(desk).last).to_contain_text("Internal note")
    desk.press("Escape", "B")
    expect(desk.page.locator("#standing")).to_contain_text("This handoff is over: returned")
    chat.say("Thank you").sees("Hello!")
    assert "A secret among us" not in chat.log.inner_text()
    assert world.rasa.heard == ["A person please", "Thank you"]


def test_two_of_the_staff_do_not_answer_at_once(world, served, enter):
    _, handoff = served.do(world.asked())
    ana, ben = enter(), enter()
    ben.page.context.clear_cookies()
    ben.page.goto(f"{ben.url}/console/sign-in")
    ben.page.get_by_label("E-mail address").fill(BEN)
    ben.page.get_by_label("Password").fill(PASSWORD)
    ben.press("Enter")
    expect(ben.page.get_by_role("heading", name="Dashboard")).to_be_visible()
    ana.go(f"/inbox/{handoff}"), ben.go(f"/inbox/{handoff}")
    expect(ana.page.locator("#viewers")).to_have_text("ben is looking at this too")
    box(ben).press_sequentially("Hello A")
    expect(ana.page.locator("#viewers")).to_have_text("ben is writing an answer")
    ana.press("c")
    expect(ben.page.locator("#standing")).to_contain_text(f"{ANA} has this")
    expect(ben.page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    expect(box(ben)).to_have_value("Hello A")
    box(ben).press("Enter")
    expect(ben.page.get_by_role("alert")).to_contain_text("A colleague has this")
    ben.page.get_by_role("button", name=f"Take it from {ANA}").click()
    expect(ana.page.locator("#standing")).to_contain_text(f"{BEN} has this")
    box(ben).press("Enter")
    expect(items(ana).last).to_contain_text("Hello A")


def test_a_break_loses_nothing(world, served, enter):
    conversation, handoff = served.do(world.asked())
    desk = enter().go(f"/inbox/{handoff}")
    expect(items(desk)).not_to_have_count(0)
    served.stop()
    expect(desk.page.locator("#connection")).to_be_visible()
    box(desk).fill("Kept")
    box(desk).press("Enter")
    expect(desk.page.get_by_role("alert")).to_contain_text("Your text is kept")
    served.do(world.say("Are you there?", conversation=conversation))
    served.do(world.asked("bob", "Bob"))
    served.start()
    expect(items(desk).last).to_contain_text("Are you there?", timeout=20_000)
    expect(desk.page.locator("#list")).to_contain_text("Bob")
    expect(desk.page.locator("#connection")).to_be_hidden()
    box(desk).press("Enter")
    expect(items(desk).last).to_contain_text("Kept")


def test_ready_and_suggested_texts_are_put_in_to_be_edited(world, served, enter):
    _, handoff = served.do(world.asked())
    with world.database.session() as session:
        canned_replies.add_canned_reply(session, T, "Greeting", "Hello {first_name},", ANA)
        canned_replies.add_canned_reply(session, T, "Refund", "Your money is back.", ANA)
    desk = enter().go(f"/inbox/{handoff}")
    desk.press("r")
    desk.page.keyboard.type("/")
    expect(desk.page.get_by_label("Find a canned reply")).to_be_focused()
    desk.page.keyboard.type("gree")
    desk.press("Enter")
    expect(box(desk)).to_have_value("Hello Ada,")
    desk.page.get_by_role("button", name="Use suggestion 1").click()
    expect(box(desk)).to_have_value("Hello Ada,\nMost orders arrive within 3 days.")
    expect(box(desk)).to_be_focused()
    desk.go(f"/inbox/{handoff}")
    expect(box(desk)).to_have_value("Hello Ada,\nMost orders arrive within 3 days.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "narrow"])
def test_axe_finds_nothing_and_nothing_sticks_out(world, served, enter, scheme, size):
    conversation, handoff = served.do(world.asked("ada", "Ada Lovelace " * 6))
    served.do(world.say("what is this!! " * 20, customer="bob"))
    served.do(world.handoffs.note(T, handoff, "x" * 300, BEN))
    served.do(world.handoffs.claim(T, handoff, BEN))
    with world.database.session() as session:
        canned_replies.add_canned_reply(session, T, "Greeting", "Hello {first_name} " * 40, ANA)
    console = enter(color_scheme=scheme, bypass_csp=True, **size)
    for path in ("/inbox", f"/inbox/{handoff}", "/inbox?show=late", "/conversations", f"/conversations/{conversation}", "/customers/ada", "/canned"):  # fmt: skip
        console.go(path)
        if handoff in path:
            expect(console.page.get_by_role("button", name="Use suggestion 1")).to_be_visible()
        assert console.violations() == [], path
        assert console.page.evaluate("document.documentElement.scrollWidth") <= size["viewport"]["width"], path
    console.go(f"/inbox/{handoff}")
    console.page.get_by_label("Internal note").check()
    console.page.locator("#ready summary").click()
    assert console.violations() == []
