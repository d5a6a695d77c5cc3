"""Shares health between processes: every outcome is an event in one Redis stream that all processes read.

Calls themselves touch memory only. A new process reads the last hour. The age of an event comes from Redis' own clock, so the
processes' clocks do not matter. While Redis is unavailable, each process relies on its own events; excess unsent events are lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.db.models import generate_id
from core.llm.router.health import MINUTE, WINDOW_MINUTES, Health

log = structlog.get_logger()

STREAM = "rejoinder:llm:health"
LONGEST = 20_000
WAITING = 5_000
AWAY_SECONDS = 1.0
BLOCK_MS = 1000
TOLD_EVERY = 0.05


class HealthFeed:
    """Publishes this process' outcomes and applies those of others."""

    def __init__(self, health: Health, url: str, stream: str = STREAM) -> None:
        self._health, self._stream = health, stream
        self._redis: Redis = Redis.from_url(url, decode_responses=True, socket_connect_timeout=2)
        self._me = generate_id()
        self._unsent: deque[dict[str, Any]] = deque(maxlen=WAITING)
        self._tasks: list[asyncio.Task[None]] = []
        self._away = self._closing = False
        self._last = ""

    async def start(self) -> None:
        """Start publishing and receiving."""
        self._tasks = [
            asyncio.create_task(self._repeat_step(step)) for step in (self._receive_events, self._publish_and_wait)
        ]

    async def close(self) -> None:
        self._closing = True  # redis may mistake a cancellation for its own timeout
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(RedisError, OSError):
            await self._send_unsent_events()
        await self._redis.aclose()

    def tell(self, model_id: str, outcome: dict[str, Any]) -> None:
        """Queue an outcome for all other processes."""
        self._unsent.append({"model": model_id, **outcome})

    async def _repeat_step(self, step: Any) -> None:
        while not self._closing:
            try:
                await step()
                if self._away:
                    self._away = False
                    log.info("redis is back; health is shared again")
            except (RedisError, OSError) as error:
                if not self._away:
                    self._away = True
                    log.warning("redis is away; health is this process' own", error=str(error))
                await asyncio.sleep(AWAY_SECONDS)

    async def _publish_and_wait(self) -> None:
        await self._send_unsent_events()
        await asyncio.sleep(TOLD_EVERY)

    async def _send_unsent_events(self) -> None:
        while self._unsent:
            event = {"by": self._me, "event": json.dumps(self._unsent[0])}
            await self._redis.xadd(self._stream, event, maxlen=LONGEST, approximate=True)  # type: ignore[arg-type]
            self._unsent.popleft()

    async def _receive_events(self) -> None:
        if not self._last:
            self._last = f"{int((await self._get_redis_time() - WINDOW_MINUTES * MINUTE) * 1000)}-0"
        found: Any = await self._redis.xread({self._stream: self._last}, block=BLOCK_MS, count=1000)
        if not found:
            return
        now = await self._get_redis_time()
        for _, events in found:
            for id_, event in events:
                self._last = id_
                if event["by"] != self._me:
                    self._apply_event(json.loads(event["event"]), max(0.0, now - int(id_.split("-")[0]) / 1000))

    def _apply_event(self, event: dict[str, Any], age: float) -> None:
        if event.get("reset"):
            self._health.reset(event["model"] or None)
        elif event.get("kind"):
            self._health.failed(event["model"], event["kind"], event.get("retry_after"), age=age)
        else:
            self._health.succeeded(event["model"], event["latency_ms"], event.get("first_token_ms"))

    async def _get_redis_time(self) -> float:
        told: Any = await self._redis.time()
        seconds, micros = told
        return float(seconds) + float(micros) / 1_000_000
