"""Requests as browsers and vendors send them: repeated until they are taken, timed, and what was refused is counted."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import aiohttp

REPEAT_SECONDS = 0.5


@dataclass
class Wire:
    """The instance as seen from outside."""

    http: aiohttp.ClientSession
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Seconds, by what was waited for."""
    refused: Counter[str] = field(default_factory=Counter)
    """By what was asked, and the status (0: no connection)."""
    stopped: bool = False

    async def post(self, what: str, path: str, *, repeat: bool = True, **request: Any) -> dict[str, Any] | None:
        """The answer's JSON, empty where there is none; None where it was refused for good, or after the end."""
        while True:
            began, status = time.perf_counter(), 0
            try:
                async with self.http.post(path, **request) as response:
                    status, body = response.status, await response.read()
                    if response.ok:
                        self.took[what].append(time.perf_counter() - began)
                        return dict(await response.json()) if body and response.content_type.endswith("json") else {}
            except (aiohttp.ClientError, TimeoutError, OSError):
                status = 0
            self.refused[f"{what} {status}"] += 1
            if not repeat or 400 <= status < 500:
                return None
            await asyncio.sleep(REPEAT_SECONDS)
