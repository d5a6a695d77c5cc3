"""`bench handoff`: random sequences of customers, bot, staff at two desks, repeated and late events, failing vendors and crashes.

The world is that of the tests (`tests/core/handoffs/world.py`): the real turns, handoffs and outbox on a database in memory, a bot
and vendors that fail or hang, and a witness of everything that is written. Hypothesis draws the sequences, a block for each seed; a
block that was done is kept, so that a run that was stopped goes on with the next one (`benchmarks/results/handoff.jsonl`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.report import Result, at_least, at_most
from tests.core.handoffs.world import EVENTS, INVARIANTS, MemoryDatabase, play

GOAL = 100_000
BLOCK = 200
SHORTEST, LONGEST = 8, 25
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
        found = asyncio.run(play(database, luck, happenings))
        violations.update(+found)
        counts.update(sequences=1, events=len(happenings))

    sequence()
    database.close()
    seconds = round(time.perf_counter() - started, 1)
    return {"seed": number, **counts, "seconds": seconds, "violations": dict(violations)}


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
