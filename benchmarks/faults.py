"""`bench faults`: what customers get while providers fail, through the real SDKs and servers that speak the vendors' formats.

Each fault happens on the first provider, then on both; before and after the first token; with and without hedging; and during a burst of
50 customers. A customer's draft is put together as the widget does it (chunks append, a restart begins anew) and compared with
what one provider alone would have said. Every call is looked for on both sides: in the ledger, and at the server.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks.report import Result, at_least, at_most
from core.db import Database
from core.db.models import LlmCall
from core.db.upgrade import upgrade_database
from core.errors import NoProviderLeft
from core.llm.factory import make_router
from core.llm.router.router import Router
from core.llm.types import ChatMessage, Delta, Request, RequestOrigin, RequestSignals, Restart
from core.settings import Settings
from testing import Behaviour, FakeGemini, FakeOpenAI, refused_url

SAYS = "You can return it within thirty days, as long as it is unused and in its box."
EXTRACT = "Returns are free for thirty days."
LIMITS = {"connect_seconds": 0.5, "first_token_seconds": 1.0, "between_tokens_seconds": 0.6, "total_seconds": 4}
"""Short, so that it all takes two minutes; but fifty streams at once keep one process busy for a second or two, servers included."""
WAITED_FOR = {
    "silent": "first_token_seconds",
    "stalls": "between_tokens_seconds",
    "drips beyond the limit": "between_tokens_seconds",
}
"""The limit that ends a fault, by the beginning of its name; the others say at once that they failed."""
IN_A_BURST = {"connect_seconds": 2.0, "first_token_seconds": 3.0, "between_tokens_seconds": 3.0, "total_seconds": 12}
BURST = 50
OUTPUT = 60
MODELS = """
roles: {cheap: [openai/one, gemini/two]}
models:
  openai/one: {provider: openai, name: gpt-4o, context_window: 100000, price: &p {input: 1, cached_input: 1, output: 1, as_of: 2026-11-21}}
  gemini/two: {provider: gemini, name: gemini-3.1-flash-lite, context_window: 100000, price: *p}
"""
BEFORE = {
    "connection closed": Behaviour(fault="closed"),
    "429 with Retry-After": Behaviour(fault="rate_limited", retry_after=3),
    "429 without Retry-After": Behaviour(fault="rate_limited"),
    "out of quota": Behaviour(fault="quota"),
    "402 payment": Behaviour(fault="payment"),
    "401 wrong key": Behaviour(fault="unauthorised"),
    "403 forbidden": Behaviour(fault="forbidden"),
    "404 no such model": Behaviour(fault="not_found"),
    "400 bad request": Behaviour(fault="bad_request"),
    "context too long": Behaviour(fault="context_too_long"),
    "500 server error": Behaviour(fault="server"),
    "503 overloaded": Behaviour(fault="unavailable"),
    "malformed JSON": Behaviour(fault="malformed"),
    "HTML": Behaviour(fault="html"),
    "no choice": Behaviour(fault="no_choice"),
    "no token": Behaviour(fault="no_text"),
    "safety block": Behaviour(fault="blocked"),
    "silent: no headers": Behaviour(headers_delay=30),
    "silent: no first token": Behaviour(first_token_delay=30),
}
AFTER = {
    "cut after the first token": Behaviour(text=SAYS, cut_after=1),
    "cut before the end": Behaviour(text=SAYS, cut_after=10),
    "stalls after the first token": Behaviour(text=SAYS, stall_after=1),
    "stalls before the end": Behaviour(text=SAYS, stall_after=10),
    "error event in the stream": Behaviour(text=SAYS, error_after=5),
    "safety block at the end": Behaviour(text=SAYS, finish="blocked"),
    "drips beyond the limit between tokens": Behaviour(text=SAYS, token_delay=2),
    "drips beyond the total limit": Behaviour(text=SAYS * 4, token_delay=0.2),
}
WELL = Behaviour(text=SAYS)
ALSO_WELL = {
    "slow but within limits": Behaviour(text=SAYS, token_delay=0.02),
    "one byte at a time": Behaviour(text=SAYS, wire_bytes=40),
    "no usage told": Behaviour(text=SAYS, usage=False),
}


@dataclass(frozen=True)
class Scenario:
    """What the servers do, and how many customers ask."""

    name: str
    first: Behaviour | None
    """None: nothing listens there."""
    second: Behaviour = WELL
    hedge: bool = False
    customers: int = 1

    @property
    def limits(self) -> dict[str, float]:
        """Of time, for each call."""
        return LIMITS if self.customers == 1 else IN_A_BURST


@dataclass
class Seen:
    """What one customer got."""

    draft: str = ""
    ends: int = 0
    restarts: int = 0
    honest: bool = False
    by: str = ""
    seconds: float = 0.0
    gaps: list[float] = field(default_factory=list)
    """Seconds without a sign of life that ended with a token of another model."""


@dataclass
class Found:
    """What became of one scenario."""

    scenario: Scenario
    seen: list[Seen]
    rows: int
    calls: int
    refused: int
    lives: bool


def run(_data: Path) -> Result:
    """Every scenario with servers, database and router of its own."""
    found = [asyncio.run(_played(scenario)) for scenario in _scenarios()]
    return _result(found)


def _scenarios() -> Iterator[Scenario]:
    everything = {**BEFORE, **AFTER}
    for name, behaviour in everything.items():
        yield Scenario(f"{name}, one provider", behaviour)
    yield Scenario("connection refused, one provider", None)
    for name, behaviour in ALSO_WELL.items():
        yield Scenario(name, behaviour)
    yield Scenario("endless stream", Behaviour(text=SAYS, endless=True))
    for name, behaviour in everything.items():
        yield Scenario(f"{name}, both providers", behaviour, behaviour)
    for name in ("silent: no first token", "500 server error", "cut after the first token", "stalls before the end"):
        yield Scenario(f"{name}, one provider, hedged", everything[name], hedge=True)
        yield Scenario(f"{name}, both providers, hedged", everything[name], everything[name], hedge=True)
    for name in (
        "429 with Retry-After",
        "500 server error",
        "silent: no first token",
        "cut before the end",
        "connection closed",
    ):
        yield Scenario(f"{name}, one provider, {BURST} at once", everything[name], customers=BURST)
    yield Scenario(
        f"silent: no first token, one provider, {BURST} at once, hedged",
        everything["silent: no first token"],
        hedge=True,
        customers=BURST,
    )
    yield Scenario(
        f"500 server error, both providers, {BURST} at once",
        everything["500 server error"],
        everything["500 server error"],
        customers=BURST,
    )


@contextmanager
def _running(scenario: Scenario, folder: Path) -> Iterator[tuple[Router, Database, list[Any]]]:
    with FakeOpenAI() as openai, FakeGemini() as gemini:
        openai.respond = lambda _: scenario.first or WELL
        gemini.respond = lambda _: scenario.second
        models = folder / "models.yml"
        models.write_text(MODELS, encoding="utf-8")
        settings = Settings.load(
            home=folder,
            models=models,
            openai_api_key="bench",
            openai_url=openai.url if scenario.first else f"{refused_url()}/v1",
            gemini_api_key="bench",
            gemini_url=gemini.url,
        )
        database = Database(settings.database())
        upgrade_database(database)
        router = make_router(settings, database)
        router.store.put("bench", {"limits": scenario.limits, "hedge": scenario.hedge, "mask": False}, "bench")
        yield router, database, [openai, gemini]
        database.close()


async def _played(scenario: Scenario) -> Found:
    with tempfile.TemporaryDirectory() as folder, _running(scenario, Path(folder)) as (router, database, fakes):
        await router.ledger.start()
        await router._warm_providers()  # noqa: SLF001 - building the SDKs' clients is not what is measured
        seen = await asyncio.gather(*(_customer(router, number) for number in range(scenario.customers)))
        await router.close()
        with database.session() as session:
            rows = session.scalars(select(LlmCall)).all()
        calls = sum(len(fake.asked) for fake in fakes)
        asked = [row for row in rows if row.provider != "extract"]
        refused = sum(row.error_kind == "connection" and row.provider == "openai" for row in rows)
        never_there = refused if scenario.first is None else 0
    return Found(scenario, list(seen), len(asked), calls, never_there, lives=scenario.second is WELL)


async def _customer(router: Router, number: int) -> Seen:
    question = f"May I return order {number}?"
    messages = (ChatMessage("system", "Answer."), ChatMessage("user", question))
    request = Request(
        messages,
        RequestOrigin("bench", f"c{number}"),
        RequestSignals(question, 0, 0.9),
        max_output_tokens=OUTPUT,
        extract=EXTRACT,
    )
    seen, started = Seen(), time.perf_counter()
    alive = started
    try:
        async for item in router.stream(request):
            moment = time.perf_counter()
            if isinstance(item, Delta):
                if not seen.draft:
                    seen.gaps.append(moment - alive)
                seen.draft, alive = seen.draft + item.text, moment
            elif isinstance(item, Restart):
                seen.draft, seen.restarts = "", seen.restarts + 1
            else:
                seen.ends += 1
                seen.by = item.completion.served.model if item.completion.served else ""
    except NoProviderLeft:
        seen.honest = True
    seen.seconds = time.perf_counter() - started
    return seen


def _is_right(found: Found, seen: Seen) -> bool:
    """Exactly one whole answer; where no provider lives, the extract or a plain end."""
    if seen.honest:
        return not found.lives and not seen.ends
    expected = EXTRACT if seen.by == "extract" else SAYS
    whole = seen.draft == expected or (found.scenario.name == "endless stream" and seen.draft.startswith(SAYS))
    return seen.ends == 1 and whole and not (found.lives and seen.by == "extract")


def _result(found: list[Found]) -> Result:
    living = [(f, seen) for f in found if f.lives for seen in f.seen]
    dead = [(f, seen) for f in found if not f.lives for seen in f.seen]
    everybody = living + dead
    doubled = sum(
        seen.ends > 1 or seen.draft.count(SAYS) > 1 for f, seen in everybody if f.scenario.name != "endless stream"
    )
    waits = [
        max(0.0, seen.gaps[-1] - _limit(f.scenario))
        for f, seen in living
        if f.scenario.first != WELL and seen.by == "gemini/two" and seen.gaps
    ]
    wrong = sorted({f.scenario.name for f, seen in everybody if not _is_right(f, seen)})
    unequal = [
        f"{f.scenario.name}: {f.rows} rows, {f.calls} calls, {f.refused} refused"
        for f in found
        if f.rows != f.calls + f.refused
    ]
    share = {
        True: 100 * sum(_is_right(f, s) for f, s in living) / len(living),
        False: 100 * sum(_is_right(f, s) for f, s in dead) / len(dead),
    }
    figures: dict[str, Any] = {
        "scenarios": len(found),
        "kinds of fault": len(BEFORE) + len(AFTER) + 2,
        "customers": len(everybody),
        "calls at the servers": sum(f.calls for f in found),
        "calls refused before a server": sum(f.refused for f in found),
        "rows in the ledger": sum(f.rows for f in found),
        "drafts replaced": sum(seen.restarts for _, seen in everybody),
        "replacement after the limit p50 s": _p(waits, 0.5),
        "wrong": wrong,
        "rows unlike calls": unequal,
    }
    targets = [
        at_least("kinds of fault", figures["kinds of fault"], 25),
        at_least("exactly one whole answer while one provider lives, % of customers", share[True], 100),
        at_least("extract or an honest end when none lives, % of customers", share[False], 100),
        at_most("duplicated answers", doubled, 0),
        at_most("replacement after the time limit, p95 s", _p(waits, 0.95), 2),
        at_most("scenarios whose ledger and servers differ", len(unequal), 0),
    ]
    return {"figures": figures, "targets": targets}


def _limit(scenario: Scenario) -> float:
    limits = scenario.limits
    return next((limits[limit] for beginning, limit in WAITED_FOR.items() if scenario.name.startswith(beginning)), 0.0)


def _p(values: list[float], share: float) -> float:
    return sorted(values)[round(share * (len(values) - 1))]
