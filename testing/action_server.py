"""Action servers: rasa-sdk's own as a process, and one whose every byte a test decides."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from testing.instance import await_ready, stop
from testing.services import free_port


@contextmanager
def rasa_sdk_server(folder: Path, code: str, port: int = 0) -> Iterator[str]:
    """`python -m rasa_sdk` with these actions; the address of its webhook."""
    port = port or free_port()
    (folder / "team_actions.py").write_text(code)
    command = [sys.executable, "-m", "rasa_sdk", "--actions", "team_actions", "--port", str(port)]
    with (folder / "actions.log").open("wb") as log:
        running = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        await_ready(f"http://127.0.0.1:{port}/health", running, folder / "actions.log")
        yield f"http://127.0.0.1:{port}/webhook"
    finally:
        stop(running)


@dataclass
class Wire:
    """Lists its actions, and answers calls with exactly these bytes; None: never."""

    actions: list[str]
    answer: bytes | None = b""
    called: int = 0
    listed: int = 0
    url: str = ""
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            if head.startswith("GET /actions "):
                self.listed += 1
                writer.write(http(orjson.dumps([{"name": name} for name in self.actions])))
            else:
                self.called += 1
                if self.answer is None:
                    await asyncio.Event().wait()
                writer.write(self.answer or b"")
            await writer.drain()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    def hang_up(self) -> None:
        """End every connection."""
        for task in self._open:
            task.cancel()


def http(body: bytes, status: str = "200 OK", kind: str = "application/json") -> bytes:
    """A whole answer."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def wire(actions: list[str], answer: bytes | None = b"") -> AsyncIterator[Wire]:
    """On a free port of this machine."""
    fake = Wire(actions, answer)
    server = await asyncio.start_server(fake.accept, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhook"
    try:
        yield fake
    finally:
        server.close()
        fake.hang_up()
