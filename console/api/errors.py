"""Route classes and permissions of the staff APIs: callers are authenticated first, every failure is readable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any

import structlog
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from connectors.http.errors import build_error_response
from console.auth.gate import require_permission
from console.auth.roles import Permission
from console.auth.sessions import Person
from core.errors import InvalidInput, RejoinderError

log = structlog.get_logger()


def route_class(let_in: Callable[[Request], Awaitable[Person]]) -> type[APIRoute]:
    """Make a route class for callers that ``let_in`` accepts; it raises an error for all others."""

    class StaffRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            inner = super().get_route_handler()

            async def handle_api_request(request: Request) -> Response:
                try:
                    request.state.person = await let_in(request)
                    return await inner(request)
                except RequestValidationError as error:
                    return build_error_response(InvalidInput("; ".join(_format_field_error(e) for e in error.errors())))
                except HTTPException as error:
                    return build_error_response(InvalidInput(str(error.detail)))
                except RejoinderError as error:
                    return build_error_response(error)
                except Exception:  # a process boundary: staff get a sentence, the log the cause
                    log.exception("staff request failed", path=request.url.path)
                    content = {"error": {"code": "internal", "message": "Something went wrong; the log has the cause."}}
                    return JSONResponse(content, 500)

            return handle_api_request

    return StaffRoute


def _make_permission_check(permission: Permission) -> Any:
    def get_permitted_person(request: Request) -> Person:
        found: Person = request.state.person
        require_permission(found, permission)
        return found

    return Depends(get_permitted_person)


Viewer = Annotated[Person, _make_permission_check("analytics:view")]
Answerer = Annotated[Person, _make_permission_check("handoffs:answer")]
Reviewer = Annotated[Person, _make_permission_check("knowledge:review")]
Builder = Annotated[Person, _make_permission_check("model:deploy")]
Admin = Annotated[Person, _make_permission_check("users:manage")]


def _format_field_error(error: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"][1:])
    return f"{place}: {error['msg']}" if place else str(error["msg"])
