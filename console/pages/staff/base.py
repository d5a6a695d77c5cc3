"""Shared parts of the console's pages: the signed-in person, the frame, headers, and readable errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import structlog
from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session

from connectors.http.errors import build_error_response
from console.auth.gate import Gate, require_permission
from console.auth.roles import Permission
from console.auth.sessions import Person
from console.explanations import Explanations
from console.inbox import Inbox
from console.pages.staff.filters import make_staff_templates
from console.pages.staff.forms import Form, read_form
from core.db import Database
from core.errors import RejoinderError, Unauthorised
from core.handoffs.staff import queries as handoffs
from core.llm.masking import Masker
from evaluation.training.service import TrainingService
from evaluation.training.suggestions import Cluster
from knowledge.curation.corrections.queries import count_corrections
from knowledge.curation.corrections.service import Corrections
from knowledge.curation.review import queries
from knowledge.curation.review.service import ReviewService
from knowledge.entries import editor

PREFIX = "/console"
_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
HEADERS = {
    "Content-Security-Policy": "; ".join(_POLICY),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
TITLES = {401: "Sign in first", 403: "Not allowed", 404: "Not found", 409: "Somebody was faster", 422: "Please check"}
TITLES |= {413: "Too large", 429: "Too many attempts", 500: "Something went wrong", 503: "Not available now"}

log = structlog.get_logger()
T = TypeVar("T")


@dataclass(frozen=True)
class StaffServices:
    """Services of the pages, provided by the app."""

    gate: Gate
    database: Database
    tenant: str
    desk: ReviewService
    corrections: Corrections
    forget: Callable[[str], None]
    """Drops a tenant's cached answers; called in the event loop."""
    training: TrainingService
    start_training: Callable[[str, str, str, str], str]
    """Starts a training in the worker (tenant, kind, by, reason) and returns its id."""
    suggest: Callable[[str], Sequence[Cluster]]
    """Proposes training examples from a tenant's messages that were not understood."""
    masker: Callable[[], Masker]
    inbox: Inbox
    explanations: Explanations


class SignInFirst(Unauthorised):
    """Nobody is signed in."""


class Shell:
    def __init__(self, services: StaffServices) -> None:
        self.services = services
        self.gate = services.gate
        self.tenant = services.tenant
        self._templates = make_staff_templates()

    async def person(self, request: Request, permission: Permission = "analytics:view") -> Person:
        """Return the signed-in person.

        Raises:
            SignInFirst: nobody is signed in.
            Forbidden: the person lacks the permission.
        """
        person = await self.gate.signed_in(request)
        if person is None:
            raise SignInFirst
        require_permission(person, permission)
        return person

    async def form(self, request: Request, permission: Permission = "analytics:view") -> tuple[Person, Form]:
        """Return the signed-in person and the submitted form.

        Raises:
            SignInFirst: nobody is signed in.
            Forbidden: the person lacks the permission, or another page sent the form.
        """
        person, form = await self.person(request), await read_form(request)
        self.gate.check_csrf(person, form.text("csrf"))
        require_permission(person, permission)
        return person, form

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run short work with a database session."""
        return await self.services.database.run(work)

    async def work(self, work: Callable[[Session], T]) -> T:
        """Run longer work with a database session in a thread of its own, to not delay customers."""

        def in_transaction() -> T:
            with self.services.database.session() as session:
                return work(session)

        return await asyncio.to_thread(in_transaction)

    async def page(
        self, name: str, person: Person | None, *, area: str = "", status: int = 200, **values: Any
    ) -> HTMLResponse:
        """Render a page inside the frame."""
        frame = await self.read(self._load_frame) if person else {}
        text = self._templates.get_template(f"staff/{name}.html").render(
            person=person, csrf=person.csrf if person else "", area=area, **frame, **values
        )
        return HTMLResponse(text, status, HEADERS)

    def fragment(self, name: str, **values: Any) -> str:
        """Render a piece of a page, without the frame."""
        return self._templates.get_template(f"staff/{name}.html").render(**values)

    def _load_frame(self, session: Session) -> dict[str, Any]:
        revision = editor.revision_of(session, self.tenant)
        late = editor.changed_count(session, self.tenant, revision.indexed) if revision else 0
        return {
            "waiting": queries.count_waiting_items(session, self.tenant),
            "proposed": count_corrections(session, self.tenant, "proposed"),
            "late": late,
            "asking": handoffs.count_handoffs(session, self.tenant, "").requested,
        }


def route_class(shell: Shell) -> type[APIRoute]:
    """Make a route class that renders every failure as a page."""

    class StaffPage(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            inner = super().get_route_handler()

            async def handle_page_request(request: Request) -> Response:
                try:
                    return await inner(request)
                except SignInFirst:
                    return redirect_to_page(f"{PREFIX}/sign-in?next={quote(_get_requested_path(request), safe='')}")
                except RejoinderError as error:
                    like = build_error_response(error)
                    response = await _render_failure(shell, request, like.status_code, str(error))
                    response.headers.update({k: v for k, v in like.headers.items() if k == "retry-after"})
                    return response
                except Exception:  # a process boundary: staff get a sentence, the log the cause
                    log.exception("console page failed", path=request.url.path)
                    return await _render_failure(shell, request, 500, "Something went wrong; the log has the cause.")

            return handle_page_request

    return StaffPage


def status_of(error: RejoinderError) -> int:
    """Return the status of a page that explains an error."""
    return build_error_response(error).status_code


def redirect_to_page(address: str) -> Response:
    """Redirect to a page after a form was accepted."""
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})


async def _render_failure(shell: Shell, request: Request, status: int, message: str) -> Response:
    try:
        person = await shell.gate.signed_in(request)
    except Exception:  # noqa: BLE001 - the database may be what failed
        person = None
    try:
        return await shell.page("failed", person, status=status, title=TITLES.get(status, "Failed"), message=message)
    except Exception:  # the frame itself cannot be loaded
        log.exception("no page for a failure")
        return HTMLResponse("Something went wrong; the log has the cause.", 500, HEADERS)


def _get_requested_path(request: Request) -> str:
    if request.method != "GET":
        return f"{PREFIX}/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
