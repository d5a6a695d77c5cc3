"""Corrections: the list, one with the effects of its approval, and the decisions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, get_args

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from console.auth.sessions import Person
from console.pages.staff import correction_parts
from console.pages.staff.base import PREFIX, Shell, redirect_to_page, status_of
from console.pages.staff.forms import Form, count_pages, page_number
from core.errors import Conflict, InvalidInput, NotFound
from knowledge.curation.corrections import decisions, proposals, queries
from knowledge.curation.corrections.queries import CorrectionFilter
from knowledge.curation.corrections.types import BEST_QUALITY, MISUNDERSTOOD, Category, EntryAction, Proposal, Status

AT_ONCE = 50
HOME = f"{PREFIX}/corrections"
CHOICES: dict[str, Any] = {
    "categories": get_args(Category),
    "actions": get_args(EntryAction),
    "qualities": range(BEST_QUALITY + 1),
    "misunderstood": MISUNDERSTOOD,
}


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the routes of corrections."""

    @routes.get("/corrections")
    async def list_corrections(request: Request) -> Response:
        person, number = await shell.person(request), page_number(request)
        asked = request.query_params
        wanted = CorrectionFilter(
            _choose_known_value(asked.get("status", ""), get_args(Status)),
            _choose_known_value(asked.get("category", ""), get_args(Category)),
            entry_id=asked.get("entry") or None,
        )

        def load_corrections(session: Session) -> dict[str, Any]:
            total, found = queries.list_corrections(session, shell.tenant, wanted, AT_ONCE, (number - 1) * AT_ONCE)
            shown = [queries.describe_correction(session, correction) for correction in found]
            return {"total": total, "found": shown, "pages": count_pages(total, AT_ONCE)}

        found = await shell.read(load_corrections)
        return await shell.page(
            "corrections", person, area="corrections", wanted=wanted, page=number, statuses=get_args(Status),
            **CHOICES, **found,
        )  # fmt: skip

    _add_proposal_routes(routes, shell)
    _add_correction_routes(routes, shell)


def _add_proposal_routes(routes: APIRouter, shell: Shell) -> None:
    async def render_proposal_page(person: Person, message: str, status: int = 200, **values: Any) -> Response:
        subject = await shell.read(lambda session: correction_parts.find_stored_answer(session, shell.tenant, message))
        intents = await asyncio.to_thread(shell.services.training.model.parts.intents)
        return await shell.page(
            "correction_new", person, area="corrections", status=status, subject=subject, intents=intents,
            **CHOICES, **values,
        )  # fmt: skip

    @routes.get("/corrections/new")
    async def show_proposal_form(request: Request) -> Response:
        person = await shell.person(request, "knowledge:review")
        return await render_proposal_page(person, request.query_params.get("message", ""))

    @routes.post("/corrections/new")
    async def propose_correction(request: Request) -> Response:
        person, form = await shell.form(request, "knowledge:review")
        try:
            proposal = _parse_proposal(form, person)
            id_ = await shell.read(lambda session: proposals.propose_correction(session, shell.tenant, proposal).id)
        except (InvalidInput, NotFound) as error:
            return await render_proposal_page(
                person, form.text("message"), status_of(error), error=str(error), given=form
            )
        return redirect_to_page(f"{HOME}/{id_}?done=proposed")


def _add_correction_routes(routes: APIRouter, shell: Shell) -> None:
    async def render_correction_page(person: Person, correction_id: str, status: int = 200, **values: Any) -> Response:
        found = await shell.read(lambda session: correction_parts.load_correction(session, shell.tenant, correction_id))
        return await shell.page("correction", person, area="corrections", status=status, **found, **values)

    @routes.get("/corrections/{correction_id}")
    async def show_correction(request: Request, correction_id: str) -> Response:
        person = await shell.person(request)
        return await render_correction_page(person, correction_id, done=request.query_params.get("done", ""))

    @routes.post("/corrections/{correction_id}/{decision}")
    async def decide_correction(request: Request, correction_id: str, decision: str) -> Response:
        person, form = await shell.form(request, "knowledge:review")
        if decision not in DECISIONS:
            raise NotFound(f"There is no decision {decision!r}.")
        try:
            await asyncio.to_thread(DECISIONS[decision], shell, correction_id, person.email, form)
        except (InvalidInput, Conflict) as error:
            return await render_correction_page(person, correction_id, status_of(error), error=str(error))
        shell.services.forget(shell.tenant)
        return redirect_to_page(f"{HOME}/{correction_id}?done={decision}")


def _reject_correction(shell: Shell, correction_id: str, by: str, form: Form) -> None:
    reason = form.text("reason").strip()
    if not reason:
        raise InvalidInput("Say why it is rejected.")
    with shell.services.database.session() as session:
        decisions.reject_correction(session, shell.tenant, correction_id, by, reason)


DECISIONS: dict[str, Callable[[Shell, str, str, Form], object]] = {
    "approve": lambda shell, id_, by, _: shell.services.corrections.approve(shell.tenant, id_, by),
    "reject": _reject_correction,
    "undo": lambda shell, id_, by, _: shell.services.corrections.undo(shell.tenant, id_, by),
    "check": lambda shell, id_, _by, _: shell.services.corrections.check(shell.tenant, id_),
}


def _parse_proposal(form: Form, person: Person) -> Proposal:
    """Parse the form of a correction; the signed-in person is the author."""

    def read_field(name: str) -> Any:
        return form.text(name).strip() or None

    return Proposal(
        answer=form.text("answer"),
        category=read_field("category"),
        author=person.email,
        message_id=read_field("message"),
        question=read_field("question"),
        bot_answer=read_field("bot_answer"),
        reason=form.text("reason"),
        quality=form.number("quality") if read_field("quality") else None,
        intent=read_field("intent"),
        entry_id=read_field("entry"),
        entry_action=read_field("entry_action"),
    )


def _choose_known_value(given: str, known: tuple[str, ...]) -> str | None:
    return given if given in known else None
