"""Training examples: decide on pending ones, find more, and export them to the training data after reading the diff."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from console.auth.sessions import Person
from console.pages.staff.base import PREFIX, Shell, redirect_to_page, status_of
from console.pages.staff.forms import Form, count_pages, page_number
from core.db.models import TrainingExample
from core.errors import Conflict, InvalidInput, NotFound
from evaluation.training import examples
from evaluation.training.data import Example

AT_ONCE = 60
HOME = f"{PREFIX}/examples"
Status = Literal["proposed", "approved", "exported", "rejected", "undone"]
STATUSES: tuple[Status, ...] = ("proposed", "approved", "exported", "rejected", "undone")


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the routes of examples."""

    async def render_examples_page(
        person: Person, status: Status, number: int = 1, code: int = 200, **values: Any
    ) -> Response:
        found = await shell.read(lambda session: _load_examples(session, shell.tenant, status, number))
        intents = await asyncio.to_thread(shell.services.training.model.parts.intents)
        return await shell.page(
            "examples", person, area="trainings", status=code, wanted=status, statuses=STATUSES, page=number,
            intents=intents, **found, **values,
        )  # fmt: skip

    @routes.get("/examples")
    async def list_examples(request: Request) -> Response:
        person, asked = await shell.person(request), request.query_params
        status: Status = next((each for each in STATUSES if each == asked.get("status")), "proposed")
        return await render_examples_page(person, status, page_number(request), done=asked.get("done", ""))

    @routes.post("/examples")
    async def propose_example(request: Request) -> Response:
        person, form = await shell.form(request, "knowledge:review")
        example = Example(form.text("text"), form.text("intent").strip())
        try:
            await shell.read(lambda session: examples.propose_example(session, shell.tenant, example, person.email).id)
        except InvalidInput as error:
            return await render_examples_page(person, "proposed", code=422, error=str(error), given=form)
        return redirect_to_page(f"{HOME}?done=added")

    @routes.post("/examples/decisions")
    async def decide_examples(request: Request) -> Response:
        person, form = await shell.form(request, "knowledge:review")
        try:
            await shell.read(lambda session: _apply_decisions(session, shell.tenant, person.email, form))
        except (InvalidInput, Conflict, NotFound) as error:
            return await render_examples_page(person, "proposed", code=status_of(error), error=str(error))
        return redirect_to_page(f"{HOME}?done={form.text('decision')}")

    @routes.post("/examples/suggestions")
    async def suggest_examples(request: Request) -> Response:
        person, _ = await shell.form(request, "knowledge:review")
        clusters = await asyncio.to_thread(shell.services.suggest, shell.tenant)
        return await render_examples_page(person, "proposed", suggested=clusters)

    _add_export(routes, shell)


def _add_export(routes: APIRouter, shell: Shell) -> None:
    parts = shell.services.training.model.parts

    async def render_export_page(person: Person, code: int = 200, **values: Any) -> Response:
        def preview_export(session: Session) -> examples.Export:
            return examples.preview_export(session, shell.tenant, parts, shell.services.masker())

        try:
            values["found"] = await shell.work(preview_export)
        except InvalidInput as error:
            values["problem"] = str(error)
        return await shell.page("examples_export", person, area="trainings", status=code, **values)

    @routes.get("/examples/export")
    async def show_export(request: Request) -> Response:
        person = await shell.person(request)
        return await render_export_page(person, done="done" in request.query_params)

    @routes.post("/examples/export")
    async def export_examples(request: Request) -> Response:
        person, form = await shell.form(request, "model:deploy")
        digest = form.text("digest")

        def store_export(session: Session) -> None:
            if not digest:
                raise InvalidInput("Look at the difference first.")
            examples.export_examples(session, shell.tenant, parts, shell.services.masker(), person.email, digest)

        try:
            await shell.work(store_export)
        except (InvalidInput, Conflict) as error:
            return await render_export_page(person, status_of(error), error=str(error))
        return redirect_to_page(f"{HOME}/export?done")


def _load_examples(session: Session, tenant_id: str, status: Status, number: int) -> dict[str, Any]:
    """Load one page of examples, grouped by intent."""
    total, rows = examples.get_example_page(session, tenant_id, status, AT_ONCE, (number - 1) * AT_ONCE)
    groups: dict[str, list[TrainingExample]] = defaultdict(list)
    for row in rows:
        groups[row.intent].append(row)
    counts = examples.count_examples(session, tenant_id)
    return {"groups": groups, "total": total, "counts": counts, "pages": count_pages(total, AT_ONCE)}


def _apply_decisions(session: Session, tenant_id: str, by: str, form: Form) -> None:
    """Apply the decision to all ticked examples, or to none."""
    status = {"approve": "approved", "reject": "rejected"}.get(form.text("decision"))
    ids = form.several("example")
    if status is None or not ids:
        raise InvalidInput("Tick at least one example, and approve or reject.")
    for id_ in ids:
        intent = form.text("intent").strip() if status == "approved" else ""
        examples.decide_example(session, tenant_id, id_, status, by, intent=intent)
