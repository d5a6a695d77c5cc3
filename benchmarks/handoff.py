"""`bench handoff`: random sequences of customers, bot, staff at two desks, repeated and late events, failing vendors and crashes.

The world is that of the tests (`testing/handoff_world.py`): the real turns, handoffs and outbox on a database in memory, a bot
and vendors that fail or hang, and a witness of everything that is written. Hypothesis draws the sequences, a block for each seed; a
block that was done is kept, so that a run that was stopped goes on with the next one (`benchmarks/results/handoff.jsonl`).

Nearly all of the time is SQLAlchemy's: 206 statements a sequence. What can be spared beside the code under test is: threads (work is done at
once, which also makes every sequence repeatable), reading unchanged settings again, and looking for garbage at each step.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import structlog
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from benchmarks.report import Result, at_least, at_most
from core import tenant_settings
from testing.handoff_world import EVENTS, INVARIANTS, MemoryDatabase, play

GOAL = 100_000
BLOCK = 200
SHORTEST, LONGEST = 8, 25
SWEPT = 50
"""Garbage is collected after so many sequences."""
DONE = Path(__file__).parent / "results" / "handoff.jsonl"


def run(_data: Path) -> Result:
    """Every block that is missing, on every core; Ctrl-C stops after the blocks that are done."""
    os.nice(10)
    try:
        with multiprocessing.Pool() as pool:
            for block in pool.imap_unordered(_block, _missing()):
                with DONE.open("a") as done:
                    done.write(json.dumps(block) + "\n")
                print(
                    f"block {block['seed']}: {block['sequences'] / block['seconds']:.1f} sequences/s", file=sys.stderr
                )
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
    return _result()


def _missing() -> Iterator[int]:
    done = {block["seed"] for block in _blocks()}
    return (number for number in range(GOAL // BLOCK) if number not in done)


def _blocks() -> list[dict[str, Any]]:
    return [json.loads(line) for line in DONE.read_text().splitlines()] if DONE.exists() else []


def _block(number: int) -> dict[str, Any]:
    """One block of sequences: how many, how long it took, what was violated."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    database, counts, violations, started = MemoryDatabase(), Counter[str](), Counter[str](), time.perf_counter()
    known: dict[tuple[str, type[Any]], Any] = {}

    @seed(number)
    @settings(
        max_examples=BLOCK,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**32), st.lists(st.sampled_from(EVENTS), min_size=SHORTEST, max_size=LONGEST))
    def sequence(luck: int, happenings: list[tuple[Any, ...]]) -> None:
        known.clear()
        violations.update(+_played(runner, database, luck, happenings))
        counts.update(sequences=1, events=len(happenings))
        if counts["sequences"] % SWEPT == 0:
            gc.collect()

    gc.disable()
    with asyncio.Runner() as runner, _read_once(known):
        runner.get_loop().set_default_executor(_AtOnce())
        sequence()
    database.close()
    seconds = round(time.perf_counter() - started, 1)
    return {"seed": number, **counts, "seconds": seconds, "violations": dict(violations)}


def _played(
    runner: asyncio.Runner, database: MemoryDatabase, luck: int, happenings: list[tuple[Any, ...]]
) -> Counter[str]:
    """One sequence; nothing of it goes on afterwards."""
    found = runner.run(play(database, luck, happenings))
    for task in (left := asyncio.all_tasks(runner.get_loop())):
        task.cancel()
    runner.run(_ended(left))
    return found


async def _ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


class _AtOnce(ThreadPoolExecutor):
    """In place of a thread for every call."""

    def submit(self, work: Callable[..., Any], /, *values: Any, **named: Any) -> Future[Any]:
        """Done when it comes back."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*values, **named))
        except Exception as error:  # noqa: BLE001 - as a thread would hand it over
            future.set_exception(error)
        return future


@contextmanager
def _read_once(known: dict[tuple[str, type[Any]], Any]) -> Iterator[None]:
    """Settings of tenants are read from the database again only when they were changed."""
    read, change = tenant_settings.load_tenant_settings, tenant_settings.change_tenant_settings

    def reading(session: Session, tenant_id: str, row: type[Any], kind: type[Any]) -> Any:
        if (tenant_id, row) not in known:
            known[tenant_id, row] = read(session, tenant_id, row, kind)
        return known[tenant_id, row]

    def changing(session: Session, tenant_id: str, row: type[Any], *values: Any) -> Any:
        known.pop((tenant_id, row), None)
        return change(session, tenant_id, row, *values)

    with patch.object(tenant_settings, "read", reading), patch.object(tenant_settings, "change", changing):
        yield


def _result() -> Result:
    blocks = _blocks()
    violations = sum((Counter(block["violations"]) for block in blocks), Counter[str]())
    sequences, seconds = (sum(block[name] for block in blocks) for name in ("sequences", "seconds"))
    return {
        "figures": {
            "sequences": sequences,
            "events": sum(block["events"] for block in blocks),
            "sequences/s and core": sequences / max(seconds, 0.1),
            "violations": {name: violations[name] for name in INVARIANTS},
        },
        "targets": [
            at_least("sequences", sequences, GOAL),
            *(at_most(name, violations[name], 0) for name in INVARIANTS),
        ],
    }
