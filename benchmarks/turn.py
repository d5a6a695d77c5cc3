"""One customer and twenty at once through the web channel, beside Rasa's moodbot in the same run."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import aiohttp
import numpy as np

from benchmarks.answers.score import GIVEN
from benchmarks.report import Result, at_least, at_most
from testing.instance import ROOT, await_ready, free_ports, instance, stop

QUESTIONS = (
    "How long does delivery take?",
    "Can I return a sale item?",
    "Do you sell gift cards?",
    "Which payment methods do you accept?",
    "How do I clean a wool throw?",
)
MOODS = ("hello", "I am doing great", "I feel very sad", "bye", "are you a bot?")
WARM_UP, ALONE, EACH_OF_MANY, MANY = 10, 100, 25, 20


@dataclass
class Times:
    """Milliseconds of each message, and how long all of it took."""

    complete: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def figures(self) -> dict[str, float]:
        """Percentiles and rate."""
        found = {"complete_p50_ms": _p(self.complete, 50), "complete_p95_ms": _p(self.complete, 95)}
        if self.first:
            found |= {"first_byte_p50_ms": _p(self.first, 50), "first_byte_p95_ms": _p(self.first, 95)}
        return {**found, "messages_per_s": len(self.complete) / self.seconds}


def run(_: Path) -> Result:
    """Measure ours, then moodbot, on this machine in one run."""
    with instance({"REJOINDER_MESSAGES_PER_MINUTE": "100000"}) as ours:
        alone, many = asyncio.run(_measure_ours(ours.url))
        memory = ours.memory_mb()
    with _moodbot() as url:
        mood_alone, mood_many = asyncio.run(_measure_moodbot(url))
    ratio = many.figures()["messages_per_s"] / mood_many.figures()["messages_per_s"]
    figures = {
        "ours": {"one": alone.figures(), "twenty": many.figures()},
        "moodbot": {"one": mood_alone.figures(), "twenty": mood_many.figures()},
        "rate_ratio": ratio,
        "memory_mb": {**memory, "total": sum(memory.values())},
    }
    return {
        "figures": figures,
        "targets": [
            at_most("approved answer, one customer, p95 ms", alone.figures()["complete_p95_ms"], 80),
            at_least("messages/s against moodbot's", ratio, 2),
            at_most("memory of the four processes, MB", sum(memory.values()), 2048),
        ],
        "notes": ["the customers run on the same two cores as the servers"],
    }


async def _measure_ours(url: str) -> tuple[Times, Times]:
    async with aiohttp.ClientSession(base_url=url, connector=aiohttp.TCPConnector(limit=0)) as http:
        await _chat(http, Times(), WARM_UP)
        alone = await _timed([_chat], http, ALONE)
        many = await _timed([_chat] * MANY, http, EACH_OF_MANY)
    return alone, many


async def _timed(customers: list, http: aiohttp.ClientSession, count: int) -> Times:  # type: ignore[type-arg]
    times = Times()
    started = time.perf_counter()
    await asyncio.gather(*(customer(http, times, count) for customer in customers))
    times.seconds = time.perf_counter() - started
    return times


async def _chat(http: aiohttp.ClientSession, times: Times, count: int) -> None:
    """One browser: a session, an open stream, one question after the other."""
    origin = {"Origin": str(http._base_url).rstrip("/")}  # noqa: SLF001
    async with http.post("/api/chat/sessions", json={}, headers=origin) as opened:
        headers = {"Authorization": f"Bearer {(await opened.json())['token']}"}
    async with http.get("/api/chat/stream", headers=headers, timeout=aiohttp.ClientTimeout(total=None)) as stream:
        events = _events(stream)
        for number in range(count):
            sent = time.perf_counter()
            body = {"client_id": uuid4().hex, "text": QUESTIONS[number % len(QUESTIONS)]}
            async with http.post("/api/chat/messages", json=body, headers=headers) as posted:
                turn = (await posted.json())["turn_id"]
            await _await_answer(events, turn, sent, times)


async def _await_answer(
    events: AsyncIterator[tuple[str, dict[str, object]]], turn: str, sent: float, times: Times
) -> None:
    first = None
    async for name, data in events:
        if data.get("turn_id") != turn:
            continue
        now = (time.perf_counter() - sent) * 1000
        if name in {"chunk", "message"} and first is None:
            first = now
        if name == "message":
            times.complete.append(now)
            times.first.append(first or now)
        if name == "ended":
            if data["outcome"] not in GIVEN:
                raise RuntimeError(f"a question was not answered: {data}")
            return


async def _events(stream: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, dict[str, object]]]:
    name = ""
    async for raw in stream.content:
        line = raw.decode().rstrip("\r\n")
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            yield name, json.loads(line[5:])


async def _measure_moodbot(url: str) -> tuple[Times, Times]:
    async with aiohttp.ClientSession(base_url=url, connector=aiohttp.TCPConnector(limit=0)) as http:
        await _mood(http, Times(), WARM_UP)
        return await _timed([_mood], http, ALONE), await _timed([_mood] * MANY, http, EACH_OF_MANY)


async def _mood(http: aiohttp.ClientSession, times: Times, count: int) -> None:
    sender = uuid4().hex
    for number in range(count):
        sent = time.perf_counter()
        body = {"sender": sender, "message": MOODS[number % len(MOODS)]}
        async with http.post("/webhooks/rest/webhook", json=body) as response:
            await response.json()
        times.complete.append((time.perf_counter() - sent) * 1000)


@contextmanager
def _moodbot():  # type: ignore[no-untyped-def] # noqa: ANN202
    """Rasa's own starter bot, as `rasa init` makes it, trained here."""
    rasa, port = str(ROOT / ".venv-bot/bin/rasa"), free_ports(1)
    env = {**os.environ, "RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as out:
            subprocess.run(
                [rasa, "init", "--no-prompt", "--init-dir", folder], env=env, stdout=out, stderr=out, check=True
            )
            command = [rasa, "run", "--port", str(port), "--interface", "127.0.0.1"]
            running = subprocess.Popen(command, cwd=folder, env=env, stdout=out, stderr=out, start_new_session=True)
        try:
            await_ready(f"http://127.0.0.1:{port}/", running, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            stop(running)


def _p(values: list[float], percent: float) -> float:
    return float(np.percentile(values, percent))
