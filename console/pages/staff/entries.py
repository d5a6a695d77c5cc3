"""Entries: the list, and one with its history and what each version changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from console.auth.sessions import Person
from console.pages.staff.base import PREFIX, Shell, see
from console.pages.staff.forms import Form, page_number, pages
from core.db.models import EntryVersion
from core.errors import Conflict, InvalidInput, NotFound
from knowledge.curation.review import entry_changes, entry_queries
from knowledge.curation.review.differences import diff
from knowledge.curation.review.entry_changes import Outcome
from knowledge.curation.review.types import Hand, Seen
from knowledge.entries import editor
from knowledge.entries.content import Content
from knowledge.imports import catalogue

AT_ONCE = 50
HOME = f"{PREFIX}/entries"
STATUSES = ("approved", "draft", "retired")
KINDS = ("faq", "passage")
LONGEST_SEARCH = 200


def add_to(routes: APIRouter, shell: Shell) -> None:
    """The routes of entries."""

    @routes.get("/entries")
    async def listed(request: Request) -> Response:
        person = await shell.person(request)
        asked = request.query_params
        status, kind = (asked.get(name, "") for name in ("status", "kind"))
        search, number = asked.get("search", "").strip()[:LONGEST_SEARCH], page_number(request)
        wanted = entry_queries.Filter(
            status if status in STATUSES else None, kind if kind in KINDS else None, search or None
        )

        def work(session: Session) -> dict[str, Any]:
            total, found = entry_queries.listed(session, shell.tenant, wanted, AT_ONCE, (number - 1) * AT_ONCE)
            shown = [entry_queries.described(session, entry) for entry in found]
            sources = catalogue.listed(session, shell.tenant)
            return {"total": total, "found": shown, "pages": pages(total, AT_ONCE), "sources": sources}

        found = await shell.read(work)
        return await shell.page(
            "entries", person, area="entries", wanted=wanted, page=number, statuses=STATUSES, kinds=KINDS, **found
        )

    @routes.get("/entries/new")
    async def blank(request: Request) -> Response:
        person = await shell.person(request, "knowledge:review")
        return await shell.page("entry_new", person, area="entries")

    @routes.post("/entries/new")
    async def create(request: Request) -> Response:
        person, form = await shell.form(request, "knowledge:review")
        hand = Hand(shell.tenant, person.email, form.text("reason"))
        try:
            outcome = await _done(shell, lambda session: entry_changes.create(session, hand, _content(form)))
        except InvalidInput as error:
            return await shell.page("entry_new", person, area="entries", status=422, error=str(error), given=form)
        return see(_after(outcome))

    _add_one(routes, shell)


def _add_one(routes: APIRouter, shell: Shell) -> None:
    async def page(person: Person, entry_id: str, status: int = 200, **values: Any) -> Response:
        found = await shell.read(lambda session: _found(session, shell.tenant, entry_id))
        return await shell.page("entry", person, area="entries", status=status, **found, **values)

    @routes.get("/entries/{entry_id}")
    async def shown(request: Request, entry_id: str) -> Response:
        person = await shell.person(request)
        return await page(person, entry_id, done="done" in request.query_params)

    @routes.post("/entries/{entry_id}/{change}")
    async def changed(request: Request, entry_id: str, change: str) -> Response:
        person, form = await shell.form(request, "knowledge:review")
        if change not in CHANGES:
            raise NotFound(f"There is no change {change!r}.")
        hand, seen = Hand(shell.tenant, person.email, form.text("reason")), Seen(entry_id, form.number("version"))
        try:
            outcome = await _done(shell, lambda session: CHANGES[change](session, hand, seen, form))
        except (InvalidInput, Conflict) as error:
            status = 409 if isinstance(error, Conflict) else 422
            given = form if change == "edit" else None
            return await page(person, entry_id, status, error=str(error), given=given)
        return see(_after(outcome))


async def _done(shell: Shell, work: Callable[[Session], Outcome]) -> Outcome:
    return await shell.services.desk.decide(shell.tenant, work)


def _after(outcome: Outcome) -> str:
    return f"{PREFIX}/review/{outcome.item_id}" if outcome.waits else f"{HOME}/{outcome.entry_id}?done"


def _content(form: Form) -> Content:
    return Content(
        "faq",
        form.text("answer"),
        tuple(form.lines("questions")),
        title=form.text("title").strip() or None,
        subject=form.text("subject").strip() or None,
        language=form.text("language").strip() or "en",
    )


def _found(session: Session, tenant_id: str, entry_id: str) -> dict[str, Any]:
    entry = editor.found(session, tenant_id, entry_id)
    versions = editor.history(session, entry)
    return {
        "entry": entry_queries.described(session, entry),
        "use": entry_queries.use(session, tenant_id, entry_id),
        "versions": [
            _version(one, earlier) for one, earlier in reversed(list(zip(versions, [None, *versions], strict=False)))
        ],
    }


def _version(one: EntryVersion, earlier: EntryVersion | None) -> dict[str, Any]:
    """A version beside the one before it."""
    new, old = one.content, earlier.content if earlier else {}
    asked, asked_before = new["questions"], old.get("questions", [])
    return {
        "version": one.version,
        "author": one.author,
        "reason": one.reason,
        "at": one.created_at,
        "status": new["status"],
        "status_before": old.get("status"),
        "answer": diff(old.get("answer", new["answer"]), new["answer"]),
        "answer_changed": earlier is None or old["answer"] != new["answer"],
        "questions_added": [text for text in asked if text not in asked_before] if earlier else [],
        "questions_removed": [text for text in asked_before if text not in asked],
        "questions": asked,
        "fields": {
            name: (old.get(name), new.get(name))
            for name in ("title", "subject", "language", "kind")
            if earlier and old.get(name) != new.get(name)
        },
    }


CHANGES: dict[str, Callable[[Session, Hand, Seen, Form], Outcome]] = {
    "edit": lambda session, hand, seen, form: entry_changes.change(session, hand, seen, _content(form)),
    "approve": lambda session, hand, seen, _: entry_changes.approve(session, hand, seen),
    "retire": lambda session, hand, seen, _: entry_changes.retire(session, hand, seen),
    "restore": lambda session, hand, seen, form: entry_changes.restore(session, hand, seen, form.number("old")),
}
