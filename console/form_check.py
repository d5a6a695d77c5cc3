"""Action server for `rejoinder bot check`: it validates values as it does for customers, and changes nothing."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from rasa_sdk.executor import ActionExecutor

from actions.form_trial import checking_executor
from actions.servers import ActionServers
from actions.webhook import router
from console.demo import fill_orders
from core.bot.parts import BotParts
from core.db import Database
from core.db.upgrade import upgrade_database
from core.events import Hub
from evaluation.forms import FormCheckServer


@contextmanager
def action_server(parts: BotParts, urls: Sequence[str] = ()) -> Iterator[FormCheckServer]:
    """Serve the form validation of skills and action servers, with stand-ins for all other actions, on a temporary demo database.

    Raises:
        SettingsInvalid: a skill's actions cannot be used.
    """
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'check.db'}")
        upgrade_database(database)
        fill_orders(database, "default")
        try:
            executor = checking_executor(parts, database, asyncio.run(_list_server_actions(urls)))
            with serve_actions(executor, ActionServers(urls, domain=parts.domain())) as server:
                yield server
        finally:
            database.close()


async def _list_server_actions(urls: Sequence[str]) -> set[str]:
    servers = ActionServers(urls)
    await servers.look_up()
    await servers.close()
    return servers.listed()


@contextmanager
def serve_actions(executor: ActionExecutor, servers: ActionServers) -> Iterator[FormCheckServer]:
    """Serve the actions through our webhook on a free port; yield its address and secret."""
    secret = secrets.token_urlsafe()
    app = FastAPI()
    app.include_router(router(executor, Hub(), secret, servers))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    listening = server.config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield FormCheckServer(f"http://127.0.0.1:{listening.getsockname()[1]}/webhook", secret)
    finally:
        server.should_exit = True
        thread.join()
