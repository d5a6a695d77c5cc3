"""An HTTP server in a thread, with every byte in our hands: h11 reads, we write."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Self

import h11

from testing.behaviour import HTML, MALFORMED, Behaviour


@dataclass
class Received:
    """One request, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    at: float = field(default_factory=time.monotonic)
    model: str = ""
    stream: bool = False
    key: str = ""
    prompt: str = ""
    """The texts of all messages."""
    last_user: str = ""
    gone: bool = False
    """The client closed the connection before the end."""
    done: bool = False


class CutError(Exception):
    """Close the connection now."""


@dataclass(frozen=True)
class Reply:
    """Status, headers and body pieces of an answer that is not streamed token by token."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()


class Fake:
    """Listens on a free loopback port; a vendor says what its answers look like."""

    prefix = ""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.respond: Callable[[Received], Behaviour] | None = None
        self._planned: deque[Behaviour] = deque()
        self._connections: set[asyncio.Task[Any]] = set()

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024), self._loop
        ).result()
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}{self.prefix}"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def plan(self, *behaviours: Behaviour) -> None:
        """What the next requests get, one each."""
        self._planned.extend(behaviours)

    @property
    def asked(self) -> list[Received]:
        """The requests for text, without lists of models and the like."""
        return [request for request in self.requests if request.prompt]

    # What a vendor says.

    def read(self, received: Received) -> bool:
        """Fill in model, stream, key and prompt; True where text is asked for."""
        raise NotImplementedError

    def other(self, received: Received) -> Reply:
        """The answer to anything but a request for text."""
        raise NotImplementedError

    def failure(self, behaviour: Behaviour, received: Received) -> Reply:
        """The vendor's own words for a fault."""
        raise NotImplementedError

    def whole(self, behaviour: Behaviour, received: Received, text: str, used: int) -> Any:
        """The body of an answer in one piece."""
        raise NotImplementedError

    def events(self, behaviour: Behaviour, received: Received) -> AsyncIterator[bytes]:
        """The events of a streamed answer."""
        raise NotImplementedError

    # The way of a connection.

    async def _shut(self) -> None:
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            await Connection(self, reader, writer).run()
        except (OSError, h11.RemoteProtocolError, CutError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    def behaviour(self, received: Received) -> Behaviour:
        """What this request gets."""
        if self._planned:
            return self._planned.popleft()
        return self.respond(received) if self.respond else Behaviour()


class Connection:
    """One client's connection, kept alive over many requests."""

    def __init__(self, fake: Fake, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._fake, self._reader, self._writer = fake, reader, writer
        self._http = h11.Connection(h11.SERVER)
        self._wire_bytes: int | None = None

    async def run(self) -> None:
        """Answer until the client goes."""
        while (received := await self._receive()) is not None:
            self._fake.requests.append(received)
            work = asyncio.ensure_future(self._answer(received))
            try:
                received.gone = await self._gone_before(work)
                if received.gone:
                    return
                work.result()
                received.done = True
            finally:
                work.cancel()
            self._http.start_next_cycle()

    async def _gone_before(self, work: asyncio.Future[None]) -> bool:
        """Whether the client left before the work was done; what it sends meanwhile is its next request."""
        watching = asyncio.ensure_future(self._reader.read(65536))
        either: set[asyncio.Future[Any]] = {watching, work}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                data = await watching
                if data:
                    self._http.receive_data(data)
                    await asyncio.wait({work})
        return not work.done() or isinstance(work.exception(), ConnectionError)  # whichever sees it first

    async def _receive(self) -> Received | None:
        request: h11.Request | None = None
        body = b""
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                data = await self._reader.read(65536)
                self._http.receive_data(data)
                if not data and request is None:
                    return None
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage) and request:
                headers = {name.decode(): value.decode() for name, value in request.headers}
                target = request.target.decode()
                is_form = headers.get("content-type", "").startswith("multipart/")
                read = body if is_form else json.loads(body) if body else None
                return Received(request.method.decode(), target, headers, read)
            else:
                return None

    async def _answer(self, received: Received) -> None:
        if not self._fake.read(received):
            await self._reply(self._fake.other(received))
            return
        behaviour = self._fake.behaviour(received)
        self._wire_bytes = behaviour.wire_bytes
        await asyncio.sleep(behaviour.headers_delay)
        if behaviour.fault == "closed":
            raise CutError
        if behaviour.fault in {"malformed", "html"}:
            await self._broken(behaviour, received)
        elif behaviour.fault and behaviour.fault not in {"no_text", "no_choice", "blocked"}:
            await self._reply(self._fake.failure(behaviour, received))
        elif received.stream:
            await self._stream(behaviour, received)
        else:
            await self._complete(behaviour, received)

    async def _broken(self, behaviour: Behaviour, received: Received) -> None:
        if behaviour.fault == "html":
            await self._send(200, [("content-type", "text/html")], [HTML])
        elif received.stream:
            await self._send(200, [("content-type", "text/event-stream")], [b"data: " + MALFORMED + b"\n\n"])
        else:
            await self._send(200, [("content-type", "application/json")], [MALFORMED])

    async def _complete(self, behaviour: Behaviour, received: Received) -> None:
        await asyncio.sleep(behaviour.first_token_delay)
        words = []
        for count, word in enumerate(behaviour.tokens(received.prompt, received.last_user)):
            if behaviour.cut_after == count:
                raise CutError
            if behaviour.stall_after == count or (behaviour.endless and count > 10_000):
                await asyncio.Event().wait()
            if behaviour.token_delay:
                await asyncio.sleep(behaviour.token_delay)
            words.append(word)
        if behaviour.cut_after is not None:
            raise CutError
        body = self._fake.whole(behaviour, received, "".join(words), len(words))
        await self._reply(Reply(200, body))

    async def _stream(self, behaviour: Behaviour, received: Received) -> None:
        self._head(200, [("content-type", "text/event-stream"), ("transfer-encoding", "chunked")])
        await self._flush()
        async for event in self._fake.events(behaviour, received):
            self._write(self._http.send(h11.Data(data=event)))
            await self._flush()
        self._write(self._http.send(h11.EndOfMessage()))
        await self._flush()

    async def _reply(self, reply: Reply) -> None:
        body = json.dumps(reply.body, ensure_ascii=False).encode()
        await self._send(reply.status, [("content-type", "application/json"), *reply.headers], [body])

    async def _send(self, status: int, headers: list[tuple[str, str]], pieces: list[bytes]) -> None:
        self._head(status, [*headers, ("content-length", str(sum(map(len, pieces))))])
        for piece in pieces:
            self._write(self._http.send(h11.Data(data=piece)))
        self._write(self._http.send(h11.EndOfMessage()))
        await self._flush()

    def _head(self, status: int, headers: list[tuple[str, str]]) -> None:
        self._pending = bytearray()
        self._write(self._http.send(h11.Response(status_code=status, headers=headers)))

    def _write(self, data: bytes | None) -> None:
        self._pending += data or b""

    async def _flush(self) -> None:
        size = self._wire_bytes or len(self._pending) or 1
        for start in range(0, len(self._pending), size):
            self._writer.write(bytes(self._pending[start : start + size]))
            await self._writer.drain()
            if self._wire_bytes:
                await asyncio.sleep(0.001)
        self._pending.clear()


async def paced(behaviour: Behaviour, received: Received) -> AsyncIterator[tuple[int, str]]:
    """The numbered words of a streamed answer at their time; cut or silent where that was asked for."""
    await asyncio.sleep(behaviour.first_token_delay)
    count = 0
    for count, word in enumerate(behaviour.tokens(received.prompt, received.last_user)):
        await _trouble(behaviour, count)
        if count and behaviour.token_delay:
            await asyncio.sleep(behaviour.token_delay)
        yield count, word
        if behaviour.endless:
            await asyncio.sleep(0.002)
    await _trouble(behaviour, count + 1)


async def _trouble(behaviour: Behaviour, count: int) -> None:
    if behaviour.cut_after == count:
        raise CutError
    if behaviour.stall_after == count:
        await asyncio.Event().wait()


def refused_url() -> str:
    """An address where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"
