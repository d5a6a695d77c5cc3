"""Debian's Chromium, a server, and a page that is closed after the test without having complained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, sync_playwright

from testing.services import chromium as chromium_path
from tests.browser.chat_page import ChatPage
from tests.browser.server import ChatServer

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_EXPECTED = ("Failed to load resource", "requires 'TrustedScript' assignment")
"""What the browser says of requests that a test lets fail, and of Playwright's own evaluations under our policy."""


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for all; closed before other tests, since its driver holds the event loop of the thread."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def server() -> Iterator[ChatServer]:
    server = ChatServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., ChatPage]]:
    """Opens a page as a new visitor; options are Playwright's of a browser context."""
    contexts = []
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(known in message.text for known in _EXPECTED):
            complaints.append(message.text)

    def open_page(url: str, init_script: str = "", **options: Any) -> ChatPage:
        context = chromium.new_context(**{"reduced_motion": "reduce", "locale": "en-GB"} | options)
        contexts.append(context)
        context.add_init_script(init_script)
        context.set_default_timeout(10_000)
        context.on("console", listen)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        return ChatPage(context.new_page(), url).load()

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def chat(server: ChatServer, visit: Callable[..., ChatPage]) -> ChatPage:
    """A new visitor on the demo shop's page, with the panel open."""
    return visit(server.url).open()
