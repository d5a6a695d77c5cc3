"""Rate limits for attempts to sign in."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from core.errors import TooManyRequests


class Attempts:
    """Limits attempts per browser address and per account; the counts are kept in this process."""

    def __init__(self, per_minute: int = 10, per_hour: int = 30) -> None:
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._address = RateLimitItemPerMinute(per_minute, namespace="address")
        self._account = RateLimitItemPerHour(per_hour, namespace="account")

    def count(self, address: str, email: str) -> None:
        """Count one more attempt.

        Raises:
            TooManyRequests: there were too many attempts.
        """
        self._count_attempt(self._address, address)
        self._count_attempt(self._account, email.strip().lower()[:200])

    def forgive(self, email: str) -> None:
        """Reset the account's count after a correct password."""
        self._windows.clear(self._account, email.strip().lower()[:200])

    def _count_attempt(self, item: RateLimitItem, key: str) -> None:
        if self._windows.hit(item, key):
            return
        reset = self._windows.get_window_stats(item, key).reset_time
        seconds = max(1, math.ceil(reset - time.time()))
        minutes = math.ceil(seconds / 60)
        wait = f"{seconds} seconds" if seconds <= 90 else f"{minutes} minutes"  # noqa: PLR2004
        raise TooManyRequests(f"Too many attempts to sign in. Please wait {wait}.", seconds)
