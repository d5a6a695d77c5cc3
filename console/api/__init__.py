"""The staff API under ``/v1``: who knows the token may look and change."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from connectors.web.failures import failure
from console.api import providers, routing
from console.api.services import ApiServices
from core.errors import InvalidInput, RejoinderError, Unauthorised

__all__ = ["ApiServices", "router"]

log = structlog.get_logger()


def router(services: ApiServices) -> APIRouter:
    """All routes; each needs ``Authorization: Bearer TOKEN``."""
    routes = APIRouter(prefix="/v1", route_class=_route_class(services.token), tags=["staff"])
    providers.add_to(routes, services)
    routing.add_to(routes, services)
    return routes


def _route_class(token: str) -> type[APIRoute]:
    class StaffRoute(APIRoute):
        """Refuses strangers first, and answers every failure readably."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            inner = super().get_route_handler()

            async def handle(request: Request) -> Response:
                try:
                    _require(request, token)
                    return await inner(request)
                except RequestValidationError as error:
                    return failure(InvalidInput("; ".join(_reason(e) for e in error.errors())))
                except HTTPException as error:
                    return failure(InvalidInput(str(error.detail)))
                except RejoinderError as error:
                    return failure(error)
                except Exception:  # a process edge: staff get a sentence, the log the cause
                    log.exception("staff request failed", path=request.url.path)
                    content = {"error": {"code": "internal", "message": "Something went wrong; the log has the cause."}}
                    return JSONResponse(content, 500)

            return handle

    return StaffRoute


def _require(request: Request, token: str) -> None:
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise Unauthorised("The staff API needs its token: `rejoinder token` prints it.")


def _reason(error: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"][1:])
    return f"{place}: {error['msg']}" if place else str(error["msg"])
