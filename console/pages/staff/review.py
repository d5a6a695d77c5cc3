"""The review queue: the list beside one item, and what is decided about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_args
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from console.auth.sessions import Person
from console.pages.staff.base import PREFIX, Shell, see
from console.pages.staff.forms import Form, page_number, pages, query_of
from core.db.models import ReviewItem, now
from core.errors import Conflict, InvalidInput, NotFound
from core.feedback import settings
from knowledge.curation.review import decisions, queries
from knowledge.curation.review.queries import Filter
from knowledge.curation.review.types import Claim, Kind, Status, Wording

AT_ONCE = 25
HOME = f"{PREFIX}/review"
DAYS = (1, 7, 30, 90)
LONGEST_SEARCH = 200


@dataclass(frozen=True)
class View:
    """Which part of the queue somebody looks at."""

    status: str = ""
    kind: str = ""
    search: str = ""
    page: int = 1

    @classmethod
    def of(cls, request: Request) -> View:
        """As the address says."""
        return cls._cleaned(dict(request.query_params), page_number(request))

    @classmethod
    def encoded(cls, query: str) -> View:
        """As a form kept it."""
        given = dict(parse_qsl(query[:1000]))
        page = given.get("page", "1")
        return cls._cleaned(given, int(page) if page.isascii() and page.isdigit() else 1)

    @classmethod
    def _cleaned(cls, given: dict[str, str], page: int) -> View:
        status, kind = given.get("status", ""), given.get("kind", "")
        return cls(
            status if status in get_args(Status) else "",
            kind if kind in get_args(Kind) else "",
            given.get("search", "").strip()[:LONGEST_SEARCH],
            max(1, min(page, 100_000)),
        )

    @property
    def filter(self) -> Filter:
        """As a search."""
        return Filter(self.status or None, self.kind or None, self.search or None)

    def query(self, **changes: Any) -> str:
        """As the part of an address behind the question mark; empty values are left out."""
        return query_of(self, **changes)


def add_to(routes: APIRouter, shell: Shell) -> None:
    """The routes of the queue."""

    async def page(
        person: Person, view: View, item_id: str | None, *, status: int = 200, chosen: bool = True, **values: Any
    ) -> Response:
        found = await shell.read(lambda session: _found(session, shell.tenant, view, item_id))
        return await shell.page(
            "review",
            person,
            area="review",
            status=status,
            view=view,
            chosen=chosen,
            kinds=get_args(Kind),
            statuses=get_args(Status),
            snooze_days=DAYS,
            **found,
            **values,
        )

    @routes.get("/review")
    async def queue(request: Request) -> Response:
        person = await shell.person(request)
        done = await _done(shell, request)
        return await page(person, View.of(request), None, chosen=False, done=done)

    @routes.get("/review/{item_id}")
    async def shown(request: Request, item_id: str) -> Response:
        person = await shell.person(request)
        return await page(person, View.of(request), item_id, done=await _done(shell, request))

    @routes.post("/review/{item_id}/{decision}")
    async def decide(request: Request, item_id: str, decision: str) -> Response:
        person, form = await shell.form(request, "knowledge:review")
        if decision not in DECISIONS:
            raise NotFound(f"There is no decision {decision!r}.")
        claim, view = (
            Claim(shell.tenant, item_id, form.number("revision"), person.email),
            View.encoded(form.text("view")),
        )

        def work(session: Session) -> None:
            DECISIONS[decision](session, claim, form)

        try:
            await shell.services.desk.decide(shell.tenant, work)
        except (InvalidInput, Conflict, NotFound) as error:
            status = 409 if isinstance(error, Conflict) else 422
            return await page(person, view, item_id, status=status, error=str(error), given=form, tried=decision)
        return see(_after(item_id, decision, form, view))


def _after(item_id: str, decision: str, form: Form, view: View) -> str:
    """The next item, or the same one where it still has to be decided."""
    query = view.query()
    if decision in {"edit", "undo"}:
        return f"{HOME}/{item_id}?{query}"
    following = form.text("following")
    there = f"{HOME}/{following}" if following.isalnum() else HOME
    return f"{there}?{query}{'&' if query else ''}done={item_id}"


async def _done(shell: Shell, request: Request) -> dict[str, Any] | None:
    """The item that was just decided about, to say so and to offer taking it back."""
    item_id = request.query_params.get("done")
    if not item_id:
        return None

    def work(session: Session) -> dict[str, Any] | None:
        try:
            return queries.described(session, queries.found(session, shell.tenant, item_id))
        except NotFound:
            return None

    return await shell.read(work)


def _found(session: Session, tenant_id: str, view: View, item_id: str | None) -> dict[str, Any]:
    total, items = queries.listed(session, tenant_id, view.filter, AT_ONCE, (view.page - 1) * AT_ONCE)
    item = queries.found(session, tenant_id, item_id) if item_id else (items[0] if items else None)
    place = next((n for n, one in enumerate(items) if item and one.id == item.id), None)
    return {
        "total": total,
        "items": items,
        "pages": pages(total, AT_ONCE),
        "item": queries.detailed(session, item) if item else None,
        "earlier": items[place - 1] if place else None,
        "later": _later(items, place),
        "four_eyes": settings.of(session, tenant_id).four_eyes,
        "counts": queries.analytics(session, tenant_id)["by_status"],
    }


def _later(items: list[ReviewItem], place: int | None) -> ReviewItem | None:
    if place is None:
        return None
    return items[place + 1] if place + 1 < len(items) else None


def _edit(session: Session, claim: Claim, form: Form) -> None:
    wording = Wording(tuple(form.lines("questions")), form.text("answer"), form.text("subject"), form.text("intent"))
    decisions.edit(session, claim, wording)


def _merge(session: Session, claim: Claim, form: Form) -> None:
    entry_id = form.text("other").strip() or form.text("entry")
    if not entry_id:
        raise InvalidInput("Choose the entry to merge into.")
    decisions.merge(session, claim, entry_id, take_answer=bool(form.text("take_answer")))


def _snooze(session: Session, claim: Claim, form: Form) -> None:
    decisions.snooze(session, claim, now() + timedelta(days=min(form.number("days"), 1000)), form.text("reason"))


DECISIONS: dict[str, Callable[[Session, Claim, Form], object]] = {
    "approve": lambda session, claim, _: decisions.approve(session, claim),
    "edit": _edit,
    "merge": _merge,
    "keep": lambda session, claim, form: decisions.keep(session, claim, form.text("entry")),
    "reject": lambda session, claim, form: decisions.reject(session, claim, form.text("reason")),
    "snooze": _snooze,
    "undo": lambda session, claim, _: decisions.undo(session, claim),
}
