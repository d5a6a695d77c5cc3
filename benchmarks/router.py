"""`bench router`: what the router adds to a call, against the vendor's SDK called directly, on the same server in the same run.

The server is a process of its own. Requests arrive by a fixed timetable, 200 a second, by turns direct and through the router, so both
see the same machine. Direct is, first, what LangChain's users write: `ChatOpenAI(...).ainvoke` and `.astream`; and, harder, "bare": the same
SDK as our provider calls it, without LangChain's callbacks and tracing. Streaming, the SDK alone manages about 100 a second in one process
of these cores, so streams are measured at 50. No question comes twice, so no answer is from the cache.
The whole bot: from the moment at which the server got the call, and at once sends its first token, to the first chunk in the browser;
beside it the time from the message on.
"""

from __future__ import annotations

import asyncio
import gc
import json
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import uuid4

import httpx
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from benchmarks.report import Goal, Result, at_least, at_most
from core.db import Database
from core.db.upgrade import upgrade_database
from core.llm.catalogue import Catalogue
from core.llm.factory import make_router
from core.llm.providers.factory import make_providers
from core.llm.router.router import Router
from core.llm.types import ChatMessage, Delta, Provider, Request, RequestOrigin, RequestSignals
from core.settings import Settings
from testing import Behaviour, Detached, FakeOpenAI
from testing.instance import instance

RATE = 200
SECONDS = 10
WARM_UP = 200
SAYS = "You can return it within 30 days, as long as it is unused."
SYSTEM = "You answer customers of a shop from the evidence. " * 8
EVIDENCE = "\n\n".join(f"[{n}] Returns are free within 30 days. Refunds take five days. " * 4 for n in range(1, 6))
MODEL = "openai/gpt-4o"
QUESTIONS = 40
QUESTION = "How should oak be looked after in winter? ({})"
"""The demo shop has passages about it, and no approved answer; the number keeps it out of the cache of answers."""
NUMBERS = count()
Times = list[tuple[float, float | None]]
"""Of each call: until its end, and until its first token; seconds."""


def run(_data: Path) -> Result:
    """Complete and stream, with and without masking; then the whole bot."""
    figures, targets = asyncio.run(_overhead())
    added = whole_bot()
    figures["whole bot"] = added
    targets.append(
        at_most("whole bot: from the model's first token to the browser, p95 ms", added["token_to_chunk_p95_ms"], 20)
    )
    return {"figures": figures, "targets": targets, "notes": [NOTE]}


NOTE = (
    "added = quantile of the routed calls less the same quantile of the direct ones; against ChatOpenAI it may be below 0: our providers "
    "leave out LangChain's callbacks and tracing"
)


@dataclass(frozen=True)
class Case:
    """One comparison."""

    name: str
    stream: bool
    bare: bool
    mask: bool = False
    rate: int = RATE


CASES = (
    Case("complete against ChatOpenAI", stream=False, bare=False),
    Case("complete against bare SDK", stream=False, bare=True),
    Case("stream against bare SDK, 50 a second", stream=True, bare=True, rate=50),
    Case("stream against ChatOpenAI, 50 a second", stream=True, bare=False, rate=50),
    Case("complete against bare SDK, with masking", stream=False, bare=True, mask=True),
    Case("stream against bare SDK, with masking, 50 a second", stream=True, bare=True, mask=True, rate=50),
)


async def _overhead() -> tuple[dict[str, Any], list[Goal]]:
    figures: dict[str, Any] = {}
    targets: list[Goal] = []
    with _running() as (router, chat, bare):
        await router.start()
        for case in CASES:
            router.store.put("bench", _document(mask=case.mask), "bench")
            direct = _routed(bare, stream=case.stream) if case.bare else _direct(chat, stream=case.stream)
            found = figures[case.name] = await _compared(case, direct, _routed(router, stream=case.stream))
            targets += [
                at_most(f"{case.name}: added p50 ms", found["added_p50_ms"], 1.5),
                at_most(f"{case.name}: added p99 ms", found["added_p99_ms"], 6),
                at_least(f"{case.name}: requests a second", found["arrivals_per_second"], 0.98 * case.rate),
            ]
        await router.close()
    return figures, targets


def _document(*, mask: bool) -> dict[str, Any]:
    approved = {"name": "approved", "when": {"approved": True}, "use": "none"}
    return {"rules": [approved, {"name": "all", "use": MODEL}], "mask": mask}


@contextmanager
def _running() -> Iterator[tuple[Router, ChatOpenAI, Provider]]:
    with tempfile.TemporaryDirectory() as folder, Detached("openai", Behaviour(text=SAYS)) as fake:
        settings = Settings.load(home=Path(folder), openai_api_key="bench", openai_url=fake.url)
        database = Database(settings.database())
        upgrade_database(database)
        direct = ChatOpenAI(model="gpt-4o", api_key=SecretStr("bench"), base_url=fake.url, max_retries=0)
        bare = make_providers(settings, Catalogue.load(settings.models))["openai"]
        yield make_router(settings, database), direct, bare
        database.close()


async def _compared(case: Case, direct: Way, routed: Way) -> dict[str, float]:
    for way in (direct, routed):
        for _ in range(WARM_UP):
            await way(next(NUMBERS))
    gc.collect()
    direct_times, routed_times, rate = await _timetable((direct, routed), case.rate)
    found = {
        "calls_each": len(direct_times),
        "arrivals_per_second": rate,
        **_quantiles("direct", [whole for whole, _ in direct_times]),
        **_quantiles("routed", [whole for whole, _ in routed_times]),
    }
    for share in ("p50", "p95", "p99"):
        found[f"added_{share}_ms"] = found[f"routed_{share}_ms"] - found[f"direct_{share}_ms"]
    if case.stream:
        found |= _quantiles("direct_first", [first for _, first in direct_times if first is not None])
        found |= _quantiles("routed_first", [first for _, first in routed_times if first is not None])
    return found


async def _timetable(ways: tuple[Way, Way], wanted: int) -> tuple[Times, Times, float]:
    """Each way's times, and the arrivals a second that were really reached."""
    began, tasks = time.perf_counter(), list[asyncio.Task[tuple[float, float | None]]]()
    for number in range(wanted * SECONDS):
        due = began + number / wanted
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(ways[number % 2](next(NUMBERS))))
    rate = len(tasks) / (time.perf_counter() - began)
    times = await asyncio.gather(*tasks)
    return times[0::2], times[1::2], rate


Way = Callable[[int], Coroutine[Any, Any, tuple[float, float | None]]]


def _direct(chat: ChatOpenAI, *, stream: bool) -> Way:
    async def call(number: int) -> tuple[float, float | None]:
        request = _request(number)
        messages = [(message.role, message.text) for message in request.messages]
        started, first = time.perf_counter(), None
        if stream:
            async for piece in chat.astream(messages, max_tokens=600, temperature=0.0):
                first = first or (time.perf_counter() - started if piece.content else None)
        else:
            await chat.ainvoke(messages, max_tokens=600, temperature=0.0)
        return time.perf_counter() - started, first

    return call


def _routed(router: Provider, *, stream: bool) -> Way:
    async def call(number: int) -> tuple[float, float | None]:
        request = _request(number)
        started, first = time.perf_counter(), None
        if stream:
            async for item in router.stream(request):
                first = first or (time.perf_counter() - started if isinstance(item, Delta) else None)
        else:
            await router.complete(request)
        return time.perf_counter() - started, first

    return call


def _request(number: int) -> Request:
    question = f"Can I return order {number}, and until when?"
    text = f"----- evidence 0123456789ab -----\n{EVIDENCE}\n----- customer's message 0123456789ab -----\n{question}"
    signals = RequestSignals(question, retrieval_confidence=0.7, evidence=(f"{number}@1",))
    caller = RequestOrigin("bench", f"c{number}", f"t{number}", prompt_version="bench")
    return Request((ChatMessage("system", SYSTEM), ChatMessage("user", text)), caller, signals, model="gpt-4o")


def _quantiles(name: str, seconds: list[float]) -> dict[str, float]:
    cuts = quantiles(seconds, n=100, method="inclusive")
    return {f"{name}_p{share}_ms": 1000 * cuts[share - 1] for share in (50, 95, 99)}


def whole_bot() -> dict[str, float]:
    """From the server's first token to the browser's first chunk, and from the message on."""
    with FakeOpenAI() as fake:  # it answers from the evidence, so that nothing is held back as unsupported
        times = _firsts({"REJOINDER_OPENAI_API_KEY": "bench", "REJOINDER_OPENAI_URL": fake.url})
        asked = [(shown, [r.at for r in fake.asked if sent < r.at < shown]) for sent, shown in times]
    waits = [shown - calls[-1] for shown, calls in asked if calls]
    return {
        **_quantiles("message_to_chunk", [shown - sent for sent, shown in times]),
        **_quantiles("token_to_chunk", waits),
        "answers_of_the_model": len(waits),
    }


def _firsts(env: dict[str, str]) -> list[tuple[float, float]]:
    """Of each question, in a conversation of its own: when it was sent, and when the first words came."""
    with instance({"REJOINDER_MESSAGES_PER_MINUTE": "1000", **env}) as running:
        asked = [QUESTION.format(number) for number in range(QUESTIONS + 5)]
        return [_first_words(running.url, question) for question in asked][5:]


def _first_words(url: str, question: str) -> tuple[float, float]:
    """As the widget does it: a session, an open stream, a message; until a chunk, a draft or the message comes."""
    with httpx.Client(base_url=url, timeout=30) as http:
        session = http.post("/api/chat/sessions", json={}, headers={"Origin": url}).json()
        headers = {"Authorization": f"Bearer {session['token']}"}
        with http.stream("GET", "/api/chat/stream", headers=headers) as stream:
            started = time.monotonic()
            sent = http.post(
                "/api/chat/messages", json={"client_id": uuid4().hex, "text": question}, headers=headers
            ).json()
            name = ""
            for line in stream.iter_lines():  # the first words, or the whole message of the bot
                name = line[6:].strip() if line.startswith("event:") else name
                if name not in {"chunk", "message"} or not line.startswith("data:"):
                    continue
                data = json.loads(line[5:])
                if data.get("turn_id") == sent["turn_id"] and data.get("speaker") != "customer":
                    return started, time.monotonic()
    raise RuntimeError(f"{question!r} was never answered")
