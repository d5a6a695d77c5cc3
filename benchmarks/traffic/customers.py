"""Customers: what they say is given in until it is taken, and what they get is written down as it comes."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp

from benchmarks.traffic.wire import Wire
from benchmarks.turn import _events
from testing.twilio import ACCOUNT, Taken, signature

SHOP = "+14155238886"
PUBLIC = "https://chat.shop.example"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Customer(ABC):
    """One customer in one conversation."""

    wire: Wire
    number: int
    sent: dict[str, str] = field(default_factory=dict)
    """Id of the message -> its text, of everything that was taken."""
    heard: list[tuple[str, str]] = field(default_factory=list)
    """(id, text) of everything that came, in order."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    @abstractmethod
    def key(self) -> str:
        """By which staff see whose handoff it is: the conversation's id, or the number."""

    @abstractmethod
    async def say(self, text: str) -> None:
        """Until it is taken."""

    @abstractmethod
    async def start(self) -> None:
        """Come in."""

    def hears(self, message_id: str, text: str) -> None:
        """Something came."""
        self.heard.append((message_id, text))
        self._news.set()

    async def until(self, wanted: Callable[[], bool], seconds: float) -> bool:
        """Wait for it; False where it does not come."""
        try:
            async with asyncio.timeout(seconds):
                while not wanted():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    def notice(self) -> None:
        """Something happened that the customer may wait for."""
        self._news.set()


@dataclass
class Browser(Customer):
    """On the web: an event stream that comes back where it stopped, as the widget's does."""

    conversation_id: str = ""
    twice: int = 0
    """Messages that the stream brought again."""
    _headers: dict[str, str] = field(default_factory=dict)
    _last: str = "0"

    @property
    def key(self) -> str:
        """The conversation's id."""
        return self.conversation_id

    async def start(self) -> None:
        """Open a session and its stream."""
        address = f"10.0.{self.number // 250}.{self.number % 250 + 1}"
        self._headers = {"X-Forwarded-For": address, "Origin": str(self.wire.http._base_url).rstrip("/")}  # noqa: SLF001
        opened = await self.wire.post("session", "/api/chat/sessions", json={}, headers=self._headers)
        if opened is None:
            raise RuntimeError("no session was opened")
        self.conversation_id = opened["conversation_id"]
        self._headers["Authorization"] = f"Bearer {opened['token']}"
        self._listening = asyncio.create_task(self._listen())

    async def say(self, text: str) -> None:
        """With an id by which a repeated post is known."""
        body = {"client_id": uuid4().hex, "text": text}
        if await self.wire.post("web message", "/api/chat/messages", json=body, headers=self._headers) is not None:
            self.sent[body["client_id"]] = text

    async def stop(self) -> None:
        """Close the page."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self) -> None:
        endless = aiohttp.ClientTimeout(total=None, sock_connect=5)
        while True:
            headers = {**self._headers, "Last-Event-ID": self._last}
            try:
                async with self.wire.http.get("/api/chat/stream", headers=headers, timeout=endless) as stream:
                    stream.raise_for_status()
                    async for name, data in _events(stream):
                        if name == "message":
                            self._got(data)
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            self.wire.refused["stream broke off"] += 1
            await asyncio.sleep(0.5)

    def _got(self, message: dict[str, Any]) -> None:
        self.twice += int(message["seq"]) <= int(self._last)
        self._last = str(message["seq"])
        if message["speaker"] != "customer":
            self.hears(message["id"], message["text"])


@dataclass
class Phone(Customer):
    """On WhatsApp."""

    @property
    def key(self) -> str:
        """The number."""
        return f"+4477009{self.number:05d}"

    async def start(self) -> None:
        """Nothing is opened on a phone."""

    async def say(self, text: str) -> None:
        """Twilio brings it."""
        sid = f"SM{uuid4().hex}"
        fields = {
            "MessageSid": sid, "AccountSid": ACCOUNT, "From": f"whatsapp:{self.key}", "To": f"whatsapp:{SHOP}",
            "Body": text, "NumMedia": "0", "MessageType": "text", "ProfileName": f"Customer {self.number}",
        }  # fmt: skip
        if await twilio_posts(self.wire, "/channels/twilio/messages", fields, "webhook") is not None:
            self.sent[sid] = text

    async def gets(self, taken: Taken) -> None:
        """Twilio took a message for this number: it arrives, and Twilio tells so."""
        self.hears(taken.sid, taken.body)
        path = (taken.callback or "").removeprefix(PUBLIC)
        for state in ("sent", "delivered") if path else ():
            fields = {"MessageSid": taken.sid, "MessageStatus": state, "AccountSid": ACCOUNT}
            await twilio_posts(self.wire, path, fields, "status", repeat=False)


async def twilio_posts(wire: Wire, path: str, fields: dict[str, str], what: str, *, repeat: bool = True) -> Any:
    """A signed request of Twilio's."""
    signed = {**FORM, "X-Twilio-Signature": signature(PUBLIC + path, fields)}
    return await wire.post(f"{what} (twilio)", path, data=urlencode(fields), headers=signed, repeat=repeat)
