"""The console's page in a real browser, in the words of a member of staff."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from core.db import Database
from testing.services import free_port
from testing.waiting import eventually
from tests.console.staff import ANA, PASSWORD, Staff, open_console

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
WIDE = {"viewport": {"width": 1280, "height": 800}}
EXPECTED = ("Failed to load resource", "requires 'TrustedScript' assignment")


@dataclass
class Console:
    """Signed in, on one page after the other."""

    page: Page
    url: str

    def sign_in(self) -> Self:
        self.page.goto(f"{self.url}/console/")
        self.page.get_by_label("E-mail address").fill(ANA)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("heading", name="Dashboard")).to_be_visible()
        return self

    def go(self, path: str) -> Self:
        self.page.goto(f"{self.url}/console{path}")
        return self

    def press(self, *keys: str) -> Self:
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def chosen(self, question: str) -> Self:
        expect(self.page.locator(".item-title")).to_have_text(question)
        self.page.wait_for_load_state()  # keys are heard from then on
        return self

    def told(self, text: str) -> Self:
        expect(self.page.locator(".item-pane .banner").first).to_contain_text(text)
        return self

    def violations(self) -> list[str]:
        found = Axe().run(self.page).response["violations"]
        return [f"{each['id']}: {node['html']} {node['failureSummary']}" for each in found for node in each["nodes"]]


@pytest.fixture
def staff(sqlite: Database) -> Staff:
    return open_console(sqlite)


@pytest.fixture
def address(staff: Staff) -> Iterator[str]:
    settings = uvicorn.Config(staff.app, port=free_port(), log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started)
    yield f"http://127.0.0.1:{settings.port}"
    server.should_exit = True
    thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.fixture
def enter(chromium: Browser, address: str) -> Iterator[Callable[..., Console]]:
    """Signs in with a browser of its own."""
    contexts, complaints = [], []

    def open_console_page(**options: Any) -> Console:
        context = chromium.new_context(**{"reduced_motion": "reduce", "locale": "en-GB", **WIDE, **options})
        contexts.append(context)
        context.set_default_timeout(10_000)
        context.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        return Console(context.new_page(), address).sign_in()

    yield open_console_page
    for context in contexts:
        context.close()
    assert not [text for text in complaints if not any(known in text for known in EXPECTED)]
