"""Trainings: start and watch them, read their evaluation, deploy a model, roll back."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.auth.sessions import Person
from console.pages.staff.base import HEADERS, PREFIX, Shell, redirect_to_page, status_of
from console.pages.staff.forms import count_pages, page_number
from core.db.models import AuditEvent
from core.errors import Conflict, InvalidInput, NotFound, Unavailable
from core.jobs import heartbeat
from evaluation.training import sessions

AT_ONCE = 20
HOME = f"{PREFIX}/trainings"
UNFINISHED = frozenset({"waiting", "training", "evaluating"})
CAN_SERVE = frozenset({"ready", "refused", "replaced"})
LONGEST_REASON = 500
REFUSED = (Conflict, InvalidInput, NotFound, Unavailable)


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the routes of trainings."""

    async def render_trainings_page(person: Person, number: int = 1, status: int = 200, **values: Any) -> Response:
        every = await asyncio.to_thread(shell.services.training.listed, shell.tenant)
        alive = await shell.read(lambda session: heartbeat.is_process_alive(session, "worker"))
        running = next((row for row in every if row["status"] == "deployed"), None)
        unfinished = next((row for row in every if row["status"] in UNFINISHED), None)
        shown = every[(number - 1) * AT_ONCE : number * AT_ONCE]
        return await shell.page(
            "trainings",
            person,
            area="trainings",
            status=status,
            found=shown,
            page=number,
            pages=count_pages(len(every), AT_ONCE),
            running=running,
            unfinished=unfinished,
            said=_describe_progress(unfinished, worker=alive) if unfinished else "",
            earlier=_find_earlier_model(every, running),
            worker=alive,
            **values,
        )

    @routes.get("/trainings")
    async def list_trainings(request: Request) -> Response:
        person = await shell.person(request)
        return await render_trainings_page(person, page_number(request), done=request.query_params.get("done", ""))

    @routes.post("/trainings")
    async def start_training(request: Request) -> Response:
        person, form = await shell.form(request, "model:deploy")
        begin, values = shell.services.start_training, (shell.tenant, "nlu", person.email, form.text("reason").strip())
        try:
            session_id = await asyncio.to_thread(begin, *values)
        except REFUSED as error:
            return await render_trainings_page(person, 1, status_of(error), error=str(error), given=form)
        return redirect_to_page(f"{HOME}/{session_id}")

    @routes.post("/trainings/rollback")
    async def roll_back_model(request: Request) -> Response:
        person, form = await shell.form(request, "model:deploy")
        try:
            reason = _parse_reason(form.text("reason"))
            back = await asyncio.to_thread(shell.services.training.rollback, shell.tenant, person.email, reason)
        except REFUSED as error:
            return await render_trainings_page(person, 1, status_of(error), error=str(error))
        return redirect_to_page(f"{HOME}/{back.id}?done={'deployed' if back.serves else 'later'}")

    _add_training_routes(routes, shell)


def _add_training_routes(routes: APIRouter, shell: Shell) -> None:
    async def render_training_page(person: Person, session_id: str, status: int = 200, **values: Any) -> Response:
        await asyncio.to_thread(shell.services.training.listed, shell.tenant)  # updates the records from disk
        found = await shell.read(lambda session: _load_training(session, shell, session_id))
        return await shell.page("training", person, area="trainings", status=status, **found, **values)

    @routes.get("/trainings/{session_id}")
    async def show_training(request: Request, session_id: str) -> Response:
        person = await shell.person(request)
        return await render_training_page(person, session_id, done=request.query_params.get("done", ""))

    @routes.get("/trainings/{session_id}/progress")
    async def get_training_progress(request: Request, session_id: str) -> Response:
        """Return the training's progress for the page's script."""
        await shell.person(request)

        def load_progress(session: Session) -> dict[str, Any]:
            row = sessions.describe_training(sessions.get_training(session, shell.tenant, session_id))
            alive = heartbeat.is_process_alive(session, "worker")
            return {
                "over": row["status"] not in UNFINISHED,
                "progress": row["progress"],
                "said": _describe_progress(row, worker=alive),
            }

        return JSONResponse(await shell.read(load_progress), headers=HEADERS)

    @routes.post("/trainings/{session_id}/deploy")
    async def deploy_model(request: Request, session_id: str) -> Response:
        person, form = await shell.form(request, "model:deploy")
        try:
            reason, forced = _parse_reason(form.text("reason")), bool(form.text("force"))
            training, who = shell.services.training, person.email
            serves = await asyncio.to_thread(training.deploy, shell.tenant, session_id, who, reason, force=forced)
        except (Conflict, InvalidInput, Unavailable) as error:
            return await render_training_page(person, session_id, status_of(error), error=str(error))
        return redirect_to_page(f"{HOME}/{session_id}?done={'deployed' if serves else 'later'}")


def _load_training(session: Session, shell: Shell, session_id: str) -> dict[str, Any]:
    row = sessions.get_training(session, shell.tenant, session_id)
    changes = select(AuditEvent).filter_by(tenant_id=shell.tenant, kind="model", subject_id=session_id)
    training = {**sessions.describe_training(row), "kept": shell.services.training.keeps(row)}
    return {
        "training": training,
        "unfinished": row.status in UNFINISHED,
        "said": _describe_progress(training, worker=heartbeat.is_process_alive(session, "worker")),
        "can_serve": row.status in CAN_SERVE and training["kept"],
        "history": list(session.scalars(changes.order_by(AuditEvent.id))),
    }


def _find_earlier_model(every: list[dict[str, Any]], running: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the model that a rollback goes back to, or None."""
    if running is None:
        return None
    older = (row for row in every if row["created_at"] < running["created_at"])
    return next((row for row in older if row["deployed_at"] and row["kept"]), None)


def _describe_progress(training: dict[str, Any], *, worker: bool) -> str:
    """Describe the current step in a sentence for staff."""
    if training["status"] == "waiting":
        return "Waiting for the worker." if worker else "Waiting: the worker does not run, and takes it when it starts."
    said: str = training["step"] or training["status"]
    return said[:1].upper() + said[1:]


def _parse_reason(given: str) -> str:
    """Return the reason for changing the serving model, which is kept with the person's name.

    Raises:
        InvalidInput: it is missing or too long.
    """
    reason = given.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise InvalidInput(f"Say why, in at most {LONGEST_REASON} characters; it is kept with the model.")
    return reason
