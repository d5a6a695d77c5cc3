"""Convert every failure of a chat request to JSON with a status code and a message."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from connectors.http.cors import Origins
from core.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    OriginRefused,
    RejoinderError,
    TooLarge,
    TooManyRequests,
    Unauthorised,
    Unavailable,
)

_log = structlog.get_logger(__name__)

_ANSWERS: tuple[tuple[type[RejoinderError], int, str], ...] = (
    (Unauthorised, 401, "unauthorised"),
    (OriginRefused, 403, "origin_refused"),
    (Forbidden, 403, "forbidden"),
    (NotFound, 404, "not_found"),
    (TooLarge, 413, "too_large"),
    (TooManyRequests, 429, "too_many_requests"),
    (InvalidInput, 422, "invalid"),
    (Conflict, 409, "conflict"),
    (Unavailable, 503, "unavailable"),
)
"""The first match applies, so subclasses come before their base classes."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def route_class(origins: Origins) -> type[APIRoute]:
    """Return a route class that rejects foreign origins first and turns every failure into a readable JSON error."""

    class ChatRoute(APIRoute):
        def get_route_handler(self) -> Handler:
            inner = super().get_route_handler()

            async def handle_chat_request(request: Request) -> Response:
                preflight = request.method == "OPTIONS"
                response = await _run_handler(inner, request, None if preflight else origins)
                response.headers.setdefault("Cache-Control", "no-store")
                response.headers.update(origins.cors(request.headers, preflight=preflight))
                return response

            return handle_chat_request

    return ChatRoute


async def _run_handler(inner: Handler, request: Request, origins: Origins | None) -> Response:
    try:
        if origins:
            origins.refuse_strangers(request.headers)
        return await inner(request)
    except RejoinderError as error:
        return build_error_response(error)
    except Exception:  # noqa: BLE001 - process boundary: the customer gets a message, the log gets the cause
        _log.exception("chat_request_failed", path=request.url.path)
        return _build_json_error(500, "internal", "Something went wrong on our side. Please try again.")


def build_error_response(error: RejoinderError) -> JSONResponse:
    """Return the JSON response for an error."""
    status, code = next(((s, c) for kind, s, c in _ANSWERS if isinstance(error, kind)), (500, "internal"))
    response = _build_json_error(status, code, str(error))
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthorised):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _build_json_error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status)
