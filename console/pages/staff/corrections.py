"""Corrections: the list, one with what its approval did, and what is decided about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, get_args

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from console.auth.sessions import Person
from console.pages.staff import correction_parts
from console.pages.staff.base import PREFIX, Shell, see, status_of
from console.pages.staff.forms import Form, page_number, pages
from core.errors import Conflict, InvalidInput, NotFound
from knowledge.curation.corrections import decisions, proposals, queries
from knowledge.curation.corrections.queries import Filter
from knowledge.curation.corrections.types import BEST_QUALITY, MISUNDERSTOOD, Category, EntryAction, Proposal, Status

AT_ONCE = 50
HOME = f"{PREFIX}/corrections"
CHOICES: dict[str, Any] = {
    "categories": get_args(Category),
    "actions": get_args(EntryAction),
    "qualities": range(BEST_QUALITY + 1),
    "misunderstood": MISUNDERSTOOD,
}


def add_to(routes: APIRouter, shell: Shell) -> None:
    """The routes of corrections."""

    @routes.get("/corrections")
    async def listed(request: Request) -> Response:
        person, number = await shell.person(request), page_number(request)
        asked = request.query_params
        wanted = Filter(
            _one_of(asked.get("status", ""), get_args(Status)),
            _one_of(asked.get("category", ""), get_args(Category)),
            entry_id=asked.get("entry") or None,
        )

        def work(session: Session) -> dict[str, Any]:
            total, found = queries.listed(session, shell.tenant, wanted, AT_ONCE, (number - 1) * AT_ONCE)
            shown = [queries.described(session, correction) for correction in found]
            return {"total": total, "found": shown, "pages": pages(total, AT_ONCE)}

        found = await shell.read(work)
        return await shell.page(
            "corrections", person, area="corrections", wanted=wanted, page=number, statuses=get_args(Status),
            **CHOICES, **found,
        )  # fmt: skip

    _add_new(routes, shell)
    _add_one(routes, shell)


def _add_new(routes: APIRouter, shell: Shell) -> None:
    async def page(person: Person, message: str, status: int = 200, **values: Any) -> Response:
        subject = await shell.read(lambda session: correction_parts.subject(session, shell.tenant, message))
        intents = await asyncio.to_thread(shell.services.training.model.parts.intents)
        return await shell.page(
            "correction_new", person, area="corrections", status=status, subject=subject, intents=intents,
            **CHOICES, **values,
        )  # fmt: skip

    @routes.get("/corrections/new")
    async def blank(request: Request) -> Response:
        person = await shell.person(request, "knowledge:review")
        return await page(person, request.query_params.get("message", ""))

    @routes.post("/corrections/new")
    async def create(request: Request) -> Response:
        person, form = await shell.form(request, "knowledge:review")
        try:
            proposal = _proposal(form, person)
            id_ = await shell.read(lambda session: proposals.propose(session, shell.tenant, proposal).id)
        except (InvalidInput, NotFound) as error:
            return await page(person, form.text("message"), status_of(error), error=str(error), given=form)
        return see(f"{HOME}/{id_}?done=proposed")


def _add_one(routes: APIRouter, shell: Shell) -> None:
    async def page(person: Person, correction_id: str, status: int = 200, **values: Any) -> Response:
        found = await shell.read(lambda session: correction_parts.shown(session, shell.tenant, correction_id))
        return await shell.page("correction", person, area="corrections", status=status, **found, **values)

    @routes.get("/corrections/{correction_id}")
    async def shown(request: Request, correction_id: str) -> Response:
        person = await shell.person(request)
        return await page(person, correction_id, done=request.query_params.get("done", ""))

    @routes.post("/corrections/{correction_id}/{decision}")
    async def decide(request: Request, correction_id: str, decision: str) -> Response:
        person, form = await shell.form(request, "knowledge:review")
        if decision not in DECISIONS:
            raise NotFound(f"There is no decision {decision!r}.")
        try:
            await asyncio.to_thread(DECISIONS[decision], shell, correction_id, person.email, form)
        except (InvalidInput, Conflict) as error:
            return await page(person, correction_id, status_of(error), error=str(error))
        shell.services.forget(shell.tenant)
        return see(f"{HOME}/{correction_id}?done={decision}")


def _reject(shell: Shell, correction_id: str, by: str, form: Form) -> None:
    reason = form.text("reason").strip()
    if not reason:
        raise InvalidInput("Say why it is rejected.")
    with shell.services.database.session() as session:
        decisions.reject(session, shell.tenant, correction_id, by, reason)


DECISIONS: dict[str, Callable[[Shell, str, str, Form], object]] = {
    "approve": lambda shell, id_, by, _: shell.services.corrections.approve(shell.tenant, id_, by),
    "reject": _reject,
    "undo": lambda shell, id_, by, _: shell.services.corrections.undo(shell.tenant, id_, by),
    "check": lambda shell, id_, _by, _: shell.services.corrections.check(shell.tenant, id_),
}


def _proposal(form: Form, person: Person) -> Proposal:
    """What the form says; who is signed in is the author."""

    def given(name: str) -> Any:
        return form.text(name).strip() or None

    return Proposal(
        answer=form.text("answer"),
        category=given("category"),
        author=person.email,
        message_id=given("message"),
        question=given("question"),
        bot_answer=given("bot_answer"),
        reason=form.text("reason"),
        quality=form.number("quality") if given("quality") else None,
        intent=given("intent"),
        entry_id=given("entry"),
        entry_action=given("entry_action"),
    )


def _one_of(given: str, known: tuple[str, ...]) -> str | None:
    return given if given in known else None
