"""`bench channels`: 200 conversations at once over web, WhatsApp and Slack, with staff who answer, on one small machine.

Three of five customers are on the web (an event stream each), the others on WhatsApp. Each asks two to four questions, asks for
a person, gets one to three replies out of a Slack thread while going on to write, is given back to the bot, and begins again. Between what
somebody gets and writes lie 15 to 40 seconds: reading 40 words takes about 12, typing 8 words about as long. Customers, staff and both vendors (fakes at the wire) live in this process.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, select

from benchmarks.report import Goal, Result, at_least, at_most
from benchmarks.traffic.conversations import Script
from benchmarks.traffic.town import Town, town
from core.db.models import Turn
from testing.instance import Instance

OPTIONS = {"conversations": 200.0, "minutes": 5.0}
THINK = (15.0, 40.0)
PATIENCE = 60.0
RAMP_SECONDS = 30.0
"""They come in one after the other."""
LOOK_SECONDS = 5.0
FLAT = 5.0
"""Percent that a process may be larger in the last fifth than in the third one."""


def run(_data: Path, conversations: float, minutes: float) -> Result:
    """All of it; what was sent in the last moments may be left without an answer and is not counted."""
    with town() as everybody:
        return asyncio.run(_measured(everybody, int(conversations), minutes * 60))


@dataclass(frozen=True)
class _Measured:
    """One run."""

    script: Script
    conversations: int
    seconds: float
    memory: list[tuple[float, dict[str, float]]]
    """(minute, MB of each process)"""
    cores: dict[str, float]
    logged: dict[str, int]
    apologies: int
    """Turns that failed."""


async def _measured(everybody: Town, conversations: int, seconds: float) -> Result:
    memory: list[tuple[float, dict[str, float]]] = []
    async with everybody.living(conversations, THINK, PATIENCE, RAMP_SECONDS) as script:
        busy, own, began = everybody.bot.cpu_seconds(), time.process_time(), time.monotonic()
        while (at := time.monotonic() - began) < seconds:
            memory.append((at / 60, everybody.bot.resident_mb()))
            await asyncio.sleep(min(LOOK_SECONDS, seconds - at))
        lasted = time.monotonic() - began
        cores = {name: (used - busy[name]) / lasted for name, used in everybody.bot.cpu_seconds().items()}
        cores["customers, staff and vendors"] = (time.process_time() - own) / lasted
    with everybody.database.session() as session:
        apologies = session.scalar(select(func.count(Turn.id)).where(Turn.status == "failed")) or 0
    return _result(_Measured(script, conversations, lasted, memory, cores, _logged(everybody.bot), apologies))


def _result(run: _Measured) -> Result:
    took, wire, memory = run.script.wire.took, run.script.wire, run.memory
    webhooks = took["webhook (twilio)"] + took["webhook (slack)"]  # not the statuses, which are many and quick
    said = len(took["web message"]) + len(took["webhook (twilio)"])
    figures: dict[str, Any] = {
        "conversations": run.conversations,
        "minutes": run.seconds / 60,
        "handoffs answered and given back": run.script.rounds,
        "messages of customers/s": said / run.seconds,
        "ms p50, p95, p99, most (count)": {name: _quantiles(times) for name, times in sorted(took.items()) if times},
        "refused, by request and status": dict(wire.refused),
        "not there within a minute": dict(run.script.late),
        "errors in the log": run.logged,
        "answered with an apology": run.apologies,
        f"cores used (of {os.cpu_count()})": run.cores,
        "memory, MB by minute": _by_minute(memory),
        "memory, MB a minute (slope of the second half)": {name: _slope(memory, name) for name in memory[0][1]},
    }
    wrong = sum(map(sum, (wire.refused.values(), run.script.late.values(), run.logged.values()))) + run.apologies
    targets: list[Goal] = [
        at_least("conversations at once", run.conversations, 200),
        at_least("minutes", round(run.seconds / 60, 2), 5),
        at_most("alert in Slack, p95 s", _p(took["alert"], 95), 3),
        at_most("staff reply at the customer, p95 s", _p(took["reply"], 95), 2),
        at_most("webhook answered, p95 ms", _p(webhooks, 95) * 1000, 300),
        at_most("errors", wrong, 0),
        *(at_most(f"memory of {name}, % more at the end", _growth(memory, name), FLAT) for name in memory[0][1]),
    ]
    return {
        "figures": figures,
        "targets": targets,
        "notes": ["the fake Slack sets no rate limit; Slack itself takes about one message a second in a channel"],
    }


def _p(values: list[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else float("inf")


def _quantiles(seconds: list[float]) -> str:
    shown = ", ".join(f"{_p(seconds, percent) * 1000:.0f}" for percent in (50, 95, 99, 100))
    return f"{shown} ({len(seconds)})"


def _logged(bot: Instance) -> dict[str, int]:
    """Events of level error, by their name and cause."""
    found: dict[str, int] = {}
    for line in (bot.home / "log").read_text(errors="replace").splitlines():
        start = line.find("{")
        if '"level": "error"' in line or '"level":"error"' in line:
            told = json.loads(line[start:])
            name = " ".join([str(told.get("event")), *str(told.get("exception", "")).strip().splitlines()[-1:]])
            found[name] = found.get(name, 0) + 1
    return found


def _by_minute(memory: list[tuple[float, dict[str, float]]]) -> dict[str, str]:
    names = memory[0][1]
    return {name: ", ".join(f"{now[name]:.0f}" for now in _each_minute(memory)) for name in names}


def _each_minute(memory: list[tuple[float, dict[str, float]]]) -> list[dict[str, float]]:
    return [now for n, (at, now) in enumerate(memory) if n == 0 or int(at) > int(memory[n - 1][0])] + [memory[-1][1]]


def _slope(memory: list[tuple[float, dict[str, float]]], name: str) -> float:
    later = memory[len(memory) // 2 :]
    return float(np.polyfit([at for at, _ in later], [now[name] for _, now in later], 1)[0]) if len(later) > 1 else 0.0


def _growth(memory: list[tuple[float, dict[str, float]]], name: str) -> float:
    """Mean of the last fifth against that of the third one, in percent."""
    values = [now[name] for _, now in memory]
    fifth = max(1, len(values) // 5)
    middle, end = np.mean(values[2 * fifth : 3 * fifth]), np.mean(values[-fifth:])
    return float((end / middle - 1) * 100)
