"""A small bounded cache with expiry."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TimedCache(Generic[K, V]):
    """Holds at most ``size`` entries for ``seconds`` each; evicts the oldest first."""

    def __init__(self, seconds: float, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._size, self._clock = seconds, size, clock
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self.hits = self.misses = 0

    def get(self, key: K) -> V | None:
        """Return the value if present and not expired; counts a hit or miss."""
        entry = self._entries.get(key)
        if entry is None or self._clock() >= entry[0]:
            self.misses += 1
            return None
        self.hits += 1
        return entry[1]

    def put(self, key: K, value: V) -> None:
        self._entries.pop(key, None)
        self._entries[key] = (self._clock() + self._seconds, value)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def drop(self, unwanted: Callable[[K], bool]) -> None:
        """Remove all entries whose key matches."""
        for key in [key for key in self._entries if unwanted(key)]:
            del self._entries[key]

    def clear(self) -> None:
        self._entries.clear()

    def counts(self) -> dict[str, float]:
        """Return hits, misses, hit rate and number of entries."""
        asked = self.hits + self.misses
        rate = round(self.hits / asked, 4) if asked else 0.0
        return {"hits": self.hits, "misses": self.misses, "hit_rate": rate, "entries": len(self._entries)}
