"""Vendor-independent errors; they never contain the key, the prompt or the vendor's own message."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from core.errors import ErrorKind, ProviderFailed

CAUSES: dict[ErrorKind, str] = {
    "timeout": "did not answer in time",
    "connection": "could not be reached, or the connection broke off",
    "rate_limited": "asks us to slow down",
    "unauthorised": "refused the key, or does not let it use this",
    "quota": "says that the account is out of quota or not paid",
    "server": "had an error of its own",
    "malformed": "sent something that is not its documented format",
    "empty": "sent no text",
    "blocked": "held the answer back by its safety filter",
    "not_found": "does not know the model",
    "context_too_long": "says that the prompt is longer than the model takes",
    "bad_request": "refused the request as wrong",
}
STATUSES: dict[int, ErrorKind] = {
    401: "unauthorised",
    402: "quota",
    403: "unauthorised",
    404: "not_found",
    408: "timeout",
    413: "context_too_long",
    429: "rate_limited",
    504: "timeout",
}
TOO_LONG = re.compile(
    r"context_length_exceeded|maximum context length|exceeds the (context|available context|maximum number of tokens)|context window",
    re.IGNORECASE,
)
CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")


def build_provider_error(
    vendor: str, kind: ErrorKind, *, status: int | None = None, code: str = "", retry_after: float | None = None
) -> ProviderFailed:
    """Build the error with a message for operators; ``code`` is the vendor's error code."""
    known = [f"HTTP {status}" if status else "", code if CODE.fullmatch(code) else ""]
    detail = ", ".join(filter(None, known))
    return ProviderFailed(f"{vendor} {CAUSES[kind]}{f' ({detail})' if detail else ''}.", kind, retry_after=retry_after)


def kind_of_status(status: int) -> ErrorKind:
    """Return the error kind for an HTTP status alone."""
    return STATUSES.get(status, "server" if status >= 500 else "bad_request")  # noqa: PLR2004


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait from ``retry-after-ms`` or ``Retry-After`` (a number or a date)."""
    value = headers.get("retry-after-ms")
    if value is not None and _parse_number(value) is not None:
        return max(0.0, float(value) / 1000)
    value = headers.get("retry-after", "")
    if (seconds := _parse_number(value)) is not None:
        return max(0.0, seconds)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _parse_number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
