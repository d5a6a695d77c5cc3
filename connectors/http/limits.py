"""Rate limits per session and client address, and the limit on body sizes."""

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
    """Moving one-minute windows, kept in this process."""

    def __init__(self, config: WebConfig) -> None:
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._messages = RateLimitItemPerMinute(config.messages_per_minute, namespace="messages")
        self._requests = RateLimitItemPerMinute(config.requests_per_minute_per_address, namespace="requests")
        self._sessions = RateLimitItemPerMinute(config.sessions_per_minute_per_address, namespace="sessions")

    def count_session(self, address: str) -> None:
        """Count an opened session of the address.

        Raises:
            TooManyRequests: the address opens too many sessions.
        """
        self._check_rate_limit(self._sessions, address)

    def count_request(self, address: str) -> None:
        """Count a request of the address, whatever its session.

        Raises:
            TooManyRequests: the address sends too many requests.
        """
        self._check_rate_limit(self._requests, address)

    def count_message(self, conversation_id: str) -> None:
        """Count a message of the session.

        Raises:
            TooManyRequests: the session sends too many messages.
        """
        self._check_rate_limit(self._messages, conversation_id)

    def _check_rate_limit(self, item: RateLimitItem, key: str) -> None:
        if self._windows.hit(item, key):
            return
        reset = self._windows.get_window_stats(item, key).reset_time
        seconds = max(1, math.ceil(reset - time.time()))
        raise TooManyRequests(f"That was a lot at once. Please wait {seconds} seconds and try again.", seconds)


async def read_body(request: Request, limit: int) -> bytes:
    """Read the request body, up to ``limit`` bytes.

    Raises:
        TooLarge: the body is longer.
    """
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise TooLarge(f"The message is too large: at most {limit} bytes are read.")
    return body
