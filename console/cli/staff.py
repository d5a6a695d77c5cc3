"""Requests of commands to the running app, which holds health and caches."""

from __future__ import annotations

from typing import Any

from core.errors import InvalidInput, Unavailable
from core.settings import Settings

SECONDS = 120.0


def ask(settings: Settings, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Call the staff API and return its response.

    Raises:
        Unavailable: no instance is running there.
        InvalidInput: the API refused the request; the message has its reason.
    """
    import httpx  # noqa: PLC0415

    headers = {"Authorization": f"Bearer {settings.staff_token()}"}
    try:
        response = httpx.request(method, f"{settings.public_url}{path}", json=body, headers=headers, timeout=SECONDS)
    except httpx.TransportError:
        raise Unavailable(f"No running instance at {settings.public_url}: start it with `make run`.") from None
    try:
        content = response.json()
        reason = content["error"]["message"] if response.is_error else ""
    except (ValueError, TypeError, KeyError):
        raise Unavailable(f"What answers at {settings.public_url} is not this program: it has no staff API.") from None
    if reason:
        raise InvalidInput(reason)
    return content
