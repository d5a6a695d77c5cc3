"""Entries: the list, and one with its history and the changes of each version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from console.auth.sessions import Person
from console.pages.staff.base import PREFIX, Shell, redirect_to_page
from console.pages.staff.forms import Form, count_pages, page_number
from core.db.models import EntryVersion
from core.errors import Conflict, InvalidInput, NotFound
from knowledge.curation.review import entry_changes, entry_queries
from knowledge.curation.review.differences import diff_texts
from knowledge.curation.review.entry_changes import Outcome
from knowledge.curation.review.types import Editor, ItemEvidence
from knowledge.entries import editor
from knowledge.entries.content import Content
from knowledge.imports import catalogue

AT_ONCE = 50
HOME = f"{PREFIX}/entries"
STATUSES = ("approved", "draft", "retired")
KINDS = ("faq", "passage")
LONGEST_SEARCH = 200


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the routes of entries."""

    @routes.get("/entries")
    async def list_entries(request: Request) -> Response:
        person = await shell.person(request)
        asked = request.query_params
        status, kind = (asked.get(name, "") for name in ("status", "kind"))
        search, number = asked.get("search", "").strip()[:LONGEST_SEARCH], page_number(request)
        wanted = entry_queries.EntryFilter(
            status if status in STATUSES else None, kind if kind in KINDS else None, search or None
        )

        def load_entries(session: Session) -> dict[str, Any]:
            total, found = entry_queries.search_entries(session, shell.tenant, wanted, AT_ONCE, (number - 1) * AT_ONCE)
            shown = [entry_queries.describe_knowledge_entry(session, entry) for entry in found]
            sources = catalogue.list_source_counts(session, shell.tenant)
            return {"total": total, "found": shown, "pages": count_pages(total, AT_ONCE), "sources": sources}

        found = await shell.read(load_entries)
        return await shell.page(
            "entries", person, area="entries", wanted=wanted, page=number, statuses=STATUSES, kinds=KINDS, **found
        )

    @routes.get("/entries/new")
    async def show_entry_form(request: Request) -> Response:
        person = await shell.person(request, "knowledge:review")
        return await shell.page("entry_new", person, area="entries")

    @routes.post("/entries/new")
    async def create_entry(request: Request) -> Response:
        person, form = await shell.form(request, "knowledge:review")
        hand = Editor(shell.tenant, person.email, form.text("reason"))
        try:
            outcome = await _decide_change(
                shell, lambda session: entry_changes.create_entry(session, hand, _parse_content(form))
            )
        except InvalidInput as error:
            return await shell.page("entry_new", person, area="entries", status=422, error=str(error), given=form)
        return redirect_to_page(_choose_next_page(outcome))

    _add_entry_routes(routes, shell)


def _add_entry_routes(routes: APIRouter, shell: Shell) -> None:
    async def render_entry_page(person: Person, entry_id: str, status: int = 200, **values: Any) -> Response:
        found = await shell.read(lambda session: _load_entry(session, shell.tenant, entry_id))
        return await shell.page("entry", person, area="entries", status=status, **found, **values)

    @routes.get("/entries/{entry_id}")
    async def show_entry(request: Request, entry_id: str) -> Response:
        person = await shell.person(request)
        return await render_entry_page(person, entry_id, done="done" in request.query_params)

    @routes.post("/entries/{entry_id}/{change}")
    async def apply_entry_change(request: Request, entry_id: str, change: str) -> Response:
        person, form = await shell.form(request, "knowledge:review")
        if change not in CHANGES:
            raise NotFound(f"There is no change {change!r}.")
        hand, seen = (
            Editor(shell.tenant, person.email, form.text("reason")),
            ItemEvidence(entry_id, form.number("version")),
        )
        try:
            outcome = await _decide_change(shell, lambda session: CHANGES[change](session, hand, seen, form))
        except (InvalidInput, Conflict) as error:
            status = 409 if isinstance(error, Conflict) else 422
            given = form if change == "edit" else None
            return await render_entry_page(person, entry_id, status, error=str(error), given=given)
        return redirect_to_page(_choose_next_page(outcome))


async def _decide_change(shell: Shell, work: Callable[[Session], Outcome]) -> Outcome:
    return await shell.services.desk.decide(shell.tenant, work)


def _choose_next_page(outcome: Outcome) -> str:
    return f"{PREFIX}/review/{outcome.item_id}" if outcome.waits else f"{HOME}/{outcome.entry_id}?done"


def _parse_content(form: Form) -> Content:
    return Content(
        "faq",
        form.text("answer"),
        tuple(form.lines("questions")),
        title=form.text("title").strip() or None,
        subject=form.text("subject").strip() or None,
        language=form.text("language").strip() or "en",
    )


def _load_entry(session: Session, tenant_id: str, entry_id: str) -> dict[str, Any]:
    entry = editor.get_entry(session, tenant_id, entry_id)
    versions = editor.list_entry_versions(session, entry)
    return {
        "entry": entry_queries.describe_knowledge_entry(session, entry),
        "use": entry_queries.count_entry_uses(session, tenant_id, entry_id),
        "versions": [
            _describe_version(one, earlier)
            for one, earlier in reversed(list(zip(versions, [None, *versions], strict=False)))
        ],
    }


def _describe_version(one: EntryVersion, earlier: EntryVersion | None) -> dict[str, Any]:
    """Describe a version and its differences from the one before."""
    new, old = one.content, earlier.content if earlier else {}
    asked, asked_before = new["questions"], old.get("questions", [])
    return {
        "version": one.version,
        "author": one.author,
        "reason": one.reason,
        "at": one.created_at,
        "status": new["status"],
        "status_before": old.get("status"),
        "answer": diff_texts(old.get("answer", new["answer"]), new["answer"]),
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


CHANGES: dict[str, Callable[[Session, Editor, ItemEvidence, Form], Outcome]] = {
    "edit": lambda session, hand, seen, form: entry_changes.change_entry(session, hand, seen, _parse_content(form)),
    "approve": lambda session, hand, seen, _: entry_changes.approve_entry(session, hand, seen),
    "retire": lambda session, hand, seen, _: entry_changes.retire_entry(session, hand, seen),
    "restore": lambda session, hand, seen, form: entry_changes.restore_version(session, hand, seen, form.number("old")),
}
