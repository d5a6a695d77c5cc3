"""A real uvicorn server in a thread, with the web channel, the demo page and turns that a test directs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import uvicorn
from fastapi import FastAPI

from connectors.http.config import WebConfig
from connectors.web import routes, transfer, widget
from connectors.web.access import WebAccess
from console.pages import front
from core.bot.parts import Voice
from core.errors import InvalidInput
from testing.services import free_port
from testing.waiting import eventually
from tests.connectors.doubles import FakeFeedback, FakeTurns

WIDE_LIMITS = WebConfig(
    tenant="shop",
    secret="a secret of the tests",
    messages_per_minute=1000,
    requests_per_minute_per_address=100_000,
    sessions_per_minute_per_address=10_000,
)


@dataclass
class FakeTransfers:
    """The number's owner gets the code 123456."""

    asked: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)

    async def send_code(self, conversation_id: str, number: str) -> None:
        if not number.startswith("+"):
            raise InvalidInput("This is not a phone number: it begins with + and the country's code.")
        self.asked.append(number)

    async def confirm(self, conversation_id: str, number: str, code: str) -> None:
        if code != "123456":
            raise InvalidInput("This code is wrong or too old.")
        self.moved.append(number)


def chat_app(turns: FakeTurns, config: WebConfig = WIDE_LIMITS, transfers: FakeTransfers | None = None) -> FastAPI:
    """What a browser needs of the app."""
    app = FastAPI()
    app.include_router(routes.router(turns, FakeFeedback(turns), turns.hub, WebAccess(config)))
    app.include_router(transfer.router(WebAccess(config), transfers))
    app.include_router(widget.router())
    app.include_router(front.router(Voice(), demo=True))
    return app


class ThreadServer:
    """An app in a thread; may go down and come back on its port."""

    port: int

    def app(self) -> FastAPI:
        raise NotImplementedError

    def start(self) -> None:
        settings = uvicorn.Config(self.app(), port=self.port, log_level="critical", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        eventually(lambda: self._server.started)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._server.serve())


@dataclass
class ChatServer(ThreadServer):
    """Can be stopped and started again on its port, as after a deployment; what was said stays."""

    turns: FakeTurns = field(default_factory=FakeTurns)
    config: WebConfig = WIDE_LIMITS
    port: int = 0
    transfers: FakeTransfers = field(default_factory=FakeTransfers)

    def app(self) -> FastAPI:
        return chat_app(self.turns, self.config, self.transfers)

    def start(self) -> None:
        self.port = self.port or free_port()
        super().start()

    def restart(self, **changes: Any) -> None:
        """With another configuration."""
        self.stop()
        self.config = replace(self.config, **changes)
        self.start()

    def do(self, action: Callable[..., Any], *values: Any, **named: Any) -> Any:
        """Run in the server's loop, where its conversations live."""
        done: Future[Any] = Future()
        self._loop.call_soon_threadsafe(lambda: done.set_result(action(*values, **named)))
        return done.result(timeout=5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def conversation_id(self) -> str:
        """The only conversation."""
        (only,) = self.turns.conversations
        return only


@contextmanager
def page_of_another_shop(body: str) -> Iterator[str]:
    """Another origin, whose page has this in it."""
    page = f"<!doctype html><html lang=en><title>Another shop</title><body><main><h1>Shop</h1></main>{body}".encode()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as shop:
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{shop.server_port}"
        shop.shutdown()
