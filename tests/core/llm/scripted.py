"""Providers that do what a test tells them, and a router over them."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.db import Database
from core.db.models import LlmCall
from core.errors import ErrorKind, ProviderFailed
from core.llm.catalogue import Catalogue, Model, Price
from core.llm.ledger import Ledger
from core.llm.providers.extract import ExtractProvider
from core.llm.router.router import Router
from core.llm.router.store import RoutingStore
from core.llm.types import (
    ChatMessage,
    Completion,
    Delta,
    Finish,
    Request,
    RequestOrigin,
    RequestSignals,
    Restart,
    StreamItem,
    Usage,
)

DEFAULT_TEXT = "It is blue. "


@dataclass
class Say:
    """One answer: words with a pause before each, then maybe a failure."""

    text: str = DEFAULT_TEXT
    wait: float = 0.0
    pause: float = 0.0
    fail: ErrorKind | None = None
    """After the text."""
    retry_after: float | None = None
    hang: bool = False
    """After the text."""
    endless: bool = False
    usage: Usage = field(default_factory=lambda: Usage(1000, 100))


@dataclass
class Scripted:
    """Answers by plan, per model; what is not planned is answered well."""

    plans: dict[str, deque[Say]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[str, Say] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    def plan(self, model: str, *says: Say) -> None:
        self.plans[model].extend(says)

    async def complete(self, request: Request) -> Completion:
        items = [item async for item in self.stream(request)]
        assert isinstance(items[-1], Finish)
        return items[-1].completion

    async def stream(self, request: Request) -> AsyncIterator[StreamItem]:
        self.asked.append(request)
        plan = self.plans[request.model]
        say = plan.popleft() if plan else self.always.get(request.model, Say())
        try:
            await asyncio.sleep(say.wait)
            text = ""
            for word in say.text.replace(" ", " \0").split("\0") if say.text else ():
                await asyncio.sleep(say.pause)
                text += word
                yield Delta(word)
            while say.endless:
                await asyncio.sleep(0)
                yield Delta("and on ")
            if say.hang:
                await asyncio.Event().wait()
            if say.fail:
                raise ProviderFailed(f"scripted {say.fail}", say.fail, retry_after=say.retry_after)
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled.append(request.model)
            raise
        yield Finish(Completion(text, request.model, say.usage))

    def count_tokens(self, request: Request) -> int:
        return sum(len(message.text) for message in request.messages) // 4


def price(cost: str) -> Price:
    number = Decimal(cost)
    return Price(input=number, cached_input=number / 10, output=number * 4, as_of=date(2026, 11, 21))


def model(provider: str, name: str, cost: str, **changes: Any) -> Model:
    return Model(**{"provider": provider, "name": name, "context_window": 100_000, "price": price(cost), **changes})


CATALOGUE = Catalogue(
    {
        "a/cheap": model("a", "cheap", "0.1"),
        "b/cheap": model("b", "cheap2", "0.2"),
        "a/big": model("a", "big", "1"),
        "b/big": model("b", "big2", "2"),
        "b/deep": model("b", "deep", "5", reasoning=True),
        "c/away": model("c", "away", "0"),
    },
    {
        "cheap": ("a/cheap", "b/cheap"),
        "balanced": ("a/big", "b/big", "c/away"),
        "reasoning": ("b/deep",),
        "long_context": ("b/big",),
    },
)


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Bench:
    """A router with its parts."""

    router: Router
    scripted: Scripted
    database: Database
    clock: Clock

    def rules(self, **document: Any) -> None:
        document.setdefault("mask", False)
        self.router.store.put("default", document, "test")

    async def rows(self) -> list[LlmCall]:
        await self.router.ledger.flush()
        with self.database.session() as session:
            return list(session.scalars(select(LlmCall).order_by(LlmCall.created_at, LlmCall.id)))


def bench(database: Database, **changes: Any) -> Bench:
    scripted, clock = Scripted(), Clock()
    providers = {"a": scripted, "b": scripted, "extract": ExtractProvider()}
    catalogue = changes.pop("catalogue", CATALOGUE)
    store = RoutingStore(database, catalogue.models, clock)
    router = Router(catalogue, providers, store, Ledger(database), clock=clock, **changes)
    return Bench(router, scripted, database, clock)


def ask(question: str = "What colour is it?", confidence: float = 0.6, **changes: Any) -> Request:
    caller = changes.pop("caller", RequestOrigin("default", "c1", "t1", prompt_version="v1"))
    messages = changes.pop("messages", (ChatMessage("system", "Be short."), ChatMessage("user", question)))
    signals = changes.pop("signals", RequestSignals(question, retrieval_confidence=confidence, evidence=("e@1",)))
    return Request(messages, caller, signals, **changes)


async def drafted(router: Router, request: Request) -> tuple[str, Completion, int]:
    """What the widget shows at the end, the completion, and the number of restarts."""
    draft, restarts, ends = "", 0, []
    async for item in router.stream(request):
        if isinstance(item, Delta):
            assert not ends
            draft += item.text
        elif isinstance(item, Restart):
            draft, restarts = "", restarts + 1
        else:
            ends.append(item.completion)
    assert len(ends) == 1
    assert ends[0].text == draft
    return draft, ends[0], restarts
