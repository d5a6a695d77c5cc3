"""`bench kill`: `app`, `worker`, `rasa` and `chroma` are killed in turn every few seconds, and all of them, while customers and staff go on.

The seconds are counted from when `app` answers, so that there is something going on to be killed; the others may still be starting.
Browsers, Twilio and Slack repeat what was not taken, as the real ones do (Twilio where its retries are switched on). At the end everything is left alone until
nothing is due any more, and then counted: what customers heard, what Twilio and Slack took, what the database holds.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select

from benchmarks.report import Result, at_least, at_most
from benchmarks.traffic.conversations import Script
from benchmarks.traffic.ledger import LOSSES, Ledger
from benchmarks.traffic.town import Town, town
from core.db.models import Delivery, Turn

OPTIONS = {"kills": 40.0, "every": 5.0, "customers": 30.0}
VICTIMS = ("app", "worker", "rasa", "chroma", "all")
THINK = (0.5, 4.0)
PATIENCE = 90.0
QUIET_LOOKS = 3
LONGEST = 300.0


def run(_data: Path, kills: float, every: float, customers: float) -> Result:
    """All of it."""
    with town() as everybody:
        return asyncio.run(_killed(everybody, int(kills), every, int(customers)))


async def _killed(everybody: Town, wanted: int, every: float, customers: int) -> Result:
    kills: Counter[str] = Counter()
    async with everybody.living(customers, THINK, PATIENCE, ramp=5) as script:
        began = time.monotonic()
        for victim in itertools.cycle(VICTIMS):
            await _answers(everybody)
            await asyncio.sleep(every)
            if kills.total() >= wanted:
                break
            kills[victim] += _kill(everybody, victim)
        minutes = (time.monotonic() - began) / 60
        script.wire.stopped = True
        quiet = await _quiet(everybody)
        ledger = Ledger(everybody, script)
    return _result(script, ledger, kills, minutes, every, quiet)


def _kill(everybody: Town, victim: str) -> bool:
    """Whether there was one: it may still be starting since it was killed before."""
    there = everybody.bot.processes()
    names = list(there) if victim == "all" else [victim]
    for name in names:
        everybody.bot.kill(name)
    return any(there[name] for name in names)


async def _quiet(everybody: Town) -> float:
    """Until everybody had their say and nothing is due; how many seconds that took.

    Raises:
        RuntimeError: it never comes.
    """
    began, looks = time.monotonic(), 0
    while looks < QUIET_LOOKS:
        if time.monotonic() - began > LONGEST:
            raise RuntimeError(f"still not quiet: {_due(everybody)}, log in {everybody.bot.home}")
        done = all(life.done() for life in everybody.lives)
        looks = looks + 1 if done and await _asked(everybody, "ready") and not sum(_due(everybody).values()) else 0
        await asyncio.sleep(1)
    return time.monotonic() - began - QUIET_LOOKS


async def _answers(everybody: Town) -> None:
    """Until `app` is there, or has been away for too long.

    Raises:
        TimeoutError: it does not come back.
    """
    async with asyncio.timeout(LONGEST):
        while not await _asked(everybody, "health"):  # noqa: ASYNC110 - other processes tell no event
            await asyncio.sleep(0.1)


async def _asked(everybody: Town, path: str) -> bool:
    try:
        async with httpx.AsyncClient(verify=False) as http:
            return (await http.get(f"{everybody.bot.url}/{path}")).is_success
    except httpx.HTTPError:
        return False


def _due(everybody: Town) -> dict[str, int]:
    with everybody.database.session() as session:
        turns = session.scalar(select(func.count(Turn.id)).where(Turn.status == "waiting")) or 0
        out = select(func.count(Delivery.id)).where(Delivery.state.in_(["queued", "sending"]))
        return {"turns": turns, "deliveries": session.scalar(out) or 0}


def _result(  # noqa: PLR0917 - everything that is told
    script: Script, ledger: Ledger, kills: Counter[str], minutes: float, every: float, quiet: float
) -> Result:
    statuses = Counter(turn.status for turn in ledger.turns)
    states = Counter(f"{row.destination} {row.state}" for row in ledger.deliveries)
    figures: dict[str, Any] = {
        "minutes": minutes,
        "seconds from an answer of app to a kill": every,
        "kills": dict(kills),
        "messages of customers": sum(message.speaker == "customer" for message in ledger.messages),
        "turns": dict(statuses),
        "handoffs answered and given back": script.rounds,
        "staff replies": len(script.desk.replies),
        "requests repeated, by status (0: no connection)": dict(script.wire.refused),
        "not there within 90 s": dict(script.late),
        "apologies, by cause": dict(Counter(turn.error for turn in ledger.turns if turn.status == "failed")),
        "deliveries": dict(sorted(states.items())),
        "marked as possible duplicates": dict(ledger.marked),
        "seconds until all was quiet": quiet,
    }
    targets = [
        at_least("kills", kills.total(), 40),
        *(at_most(name, ledger.found[name], 0) for name in LOSSES),
        at_most("answered with an apology only", statuses["failed"], 0),
    ]
    return {"figures": figures, "targets": targets}
