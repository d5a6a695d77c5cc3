"""How fast one session and one client address may speak, and how much at once."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request

from connectors.http.config import WebConfig
from core.errors import TooLarge, TooManyRequests


class RateLimits:
    """Moving windows of one minute, kept in this process."""

    def __init__(self, config: WebConfig) -> None:
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._messages = RateLimitItemPerMinute(config.messages_per_minute, namespace="messages")
        self._requests = RateLimitItemPerMinute(config.requests_per_minute_per_address, namespace="requests")
        self._sessions = RateLimitItemPerMinute(config.sessions_per_minute_per_address, namespace="sessions")

    def count_session(self, address: str) -> None:
        """Count one more opened session of the address.

        Raises:
            TooManyRequests: it opens too many.
        """
        self._check_rate_limit(self._sessions, address)

    def count_request(self, address: str) -> None:
        """Count one more request of the address, of whichever session.

        Raises:
            TooManyRequests: it asks too often.
        """
        self._check_rate_limit(self._requests, address)

    def count_message(self, conversation_id: str) -> None:
        """Count one more message of the session.

        Raises:
            TooManyRequests: it speaks too fast.
        """
        self._check_rate_limit(self._messages, conversation_id)

    def _check_rate_limit(self, item: RateLimitItem, key: str) -> None:
        if self._windows.hit(item, key):
            return
        reset = self._windows.get_window_stats(item, key).reset_time
        seconds = max(1, math.ceil(reset - time.time()))
        raise TooManyRequests(f"That was a lot at once. Please wait {seconds} seconds and try again.", seconds)


async def read_body(request: Request, limit: int) -> bytes:
    """The body, read no further than ``limit`` bytes.

    Raises:
        TooLarge: there is more.
    """
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise TooLarge(f"The message is too large: at most {limit} bytes are read.")
    return body
