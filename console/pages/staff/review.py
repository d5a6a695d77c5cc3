"""The review queue: the list next to one item, and the decisions on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_args
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from console.auth.sessions import Person
from console.pages.staff.base import PREFIX, Shell, redirect_to_page
from console.pages.staff.forms import Form, count_pages, page_number, query_of
from core.db.models import ReviewItem, get_current_time
from core.errors import Conflict, InvalidInput, NotFound
from core.feedback import settings
from knowledge.curation.review import decisions, queries
from knowledge.curation.review.queries import ReviewFilter
from knowledge.curation.review.types import Claim, Kind, Status, Wording

AT_ONCE = 25
HOME = f"{PREFIX}/review"
DAYS = (1, 7, 30, 90)
LONGEST_SEARCH = 200


@dataclass(frozen=True)
class ReviewView:
    """The part of the review queue to show: filters and page."""

    status: str = ""
    kind: str = ""
    search: str = ""
    page: int = 1

    @classmethod
    def of(cls, request: Request) -> ReviewView:
        """Read the view from the query string."""
        return cls._build_view(dict(request.query_params), page_number(request))

    @classmethod
    def encoded(cls, query: str) -> ReviewView:
        """Read the view from a form's encoded query string."""
        given = dict(parse_qsl(query[:1000]))
        page = given.get("page", "1")
        return cls._build_view(given, int(page) if page.isascii() and page.isdigit() else 1)

    @classmethod
    def _build_view(cls, given: dict[str, str], page: int) -> ReviewView:
        status, kind = given.get("status", ""), given.get("kind", "")
        return cls(
            status if status in get_args(Status) else "",
            kind if kind in get_args(Kind) else "",
            given.get("search", "").strip()[:LONGEST_SEARCH],
            max(1, min(page, 100_000)),
        )

    @property
    def filter(self) -> ReviewFilter:
        return ReviewFilter(self.status or None, self.kind or None, self.search or None)

    def query(self, **changes: Any) -> str:
        """Encode as a query string without empty values."""
        return query_of(self, **changes)


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the routes of the queue."""

    async def render_review_page(
        person: Person, view: ReviewView, item_id: str | None, *, status: int = 200, chosen: bool = True, **values: Any
    ) -> Response:
        found = await shell.read(lambda session: _load_review_queue(session, shell.tenant, view, item_id))
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
    async def show_review_queue(request: Request) -> Response:
        person = await shell.person(request)
        done = await _find_decided_item(shell, request)
        return await render_review_page(person, ReviewView.of(request), None, chosen=False, done=done)

    @routes.get("/review/{item_id}")
    async def show_review_item(request: Request, item_id: str) -> Response:
        person = await shell.person(request)
        return await render_review_page(
            person, ReviewView.of(request), item_id, done=await _find_decided_item(shell, request)
        )

    @routes.post("/review/{item_id}/{decision}")
    async def decide_review_item(request: Request, item_id: str, decision: str) -> Response:
        person, form = await shell.form(request, "knowledge:review")
        if decision not in DECISIONS:
            raise NotFound(f"There is no decision {decision!r}.")
        claim, view = (
            Claim(shell.tenant, item_id, form.number("revision"), person.email),
            ReviewView.encoded(form.text("view")),
        )

        def apply_decision(session: Session) -> None:
            DECISIONS[decision](session, claim, form)

        try:
            await shell.services.desk.decide(shell.tenant, apply_decision)
        except (InvalidInput, Conflict, NotFound) as error:
            status = 409 if isinstance(error, Conflict) else 422
            return await render_review_page(
                person, view, item_id, status=status, error=str(error), given=form, tried=decision
            )
        return redirect_to_page(_choose_next_page(item_id, decision, form, view))


def _choose_next_page(item_id: str, decision: str, form: Form, view: ReviewView) -> str:
    """Return the address of the next item, or of the same one after an edit or undo."""
    query = view.query()
    if decision in {"edit", "undo"}:
        return f"{HOME}/{item_id}?{query}"
    following = form.text("following")
    there = f"{HOME}/{following}" if following.isalnum() else HOME
    return f"{there}?{query}{'&' if query else ''}done={item_id}"


async def _find_decided_item(shell: Shell, request: Request) -> dict[str, Any] | None:
    """Return the item decided last, to confirm the decision and offer an undo."""
    item_id = request.query_params.get("done")
    if not item_id:
        return None

    def describe_item(session: Session) -> dict[str, Any] | None:
        try:
            return queries.describe_item(session, queries.get_review_item(session, shell.tenant, item_id))
        except NotFound:
            return None

    return await shell.read(describe_item)


def _load_review_queue(session: Session, tenant_id: str, view: ReviewView, item_id: str | None) -> dict[str, Any]:
    total, items = queries.list_review_items(session, tenant_id, view.filter, AT_ONCE, (view.page - 1) * AT_ONCE)
    item = queries.get_review_item(session, tenant_id, item_id) if item_id else (items[0] if items else None)
    place = next((n for n, one in enumerate(items) if item and one.id == item.id), None)
    return {
        "total": total,
        "items": items,
        "pages": count_pages(total, AT_ONCE),
        "item": queries.describe_item_details(session, item) if item else None,
        "earlier": items[place - 1] if place else None,
        "later": _find_later_item(items, place),
        "four_eyes": settings.get_learning_settings(session, tenant_id).four_eyes,
        "counts": queries.compute_review_analytics(session, tenant_id)["by_status"],
    }


def _find_later_item(items: list[ReviewItem], place: int | None) -> ReviewItem | None:
    if place is None:
        return None
    return items[place + 1] if place + 1 < len(items) else None


def _edit_item(session: Session, claim: Claim, form: Form) -> None:
    wording = Wording(tuple(form.lines("questions")), form.text("answer"), form.text("subject"), form.text("intent"))
    decisions.edit_item(session, claim, wording)


def _merge_item(session: Session, claim: Claim, form: Form) -> None:
    entry_id = form.text("other").strip() or form.text("entry")
    if not entry_id:
        raise InvalidInput("Choose the entry to merge into.")
    decisions.merge_item(session, claim, entry_id, take_answer=bool(form.text("take_answer")))


def _snooze_item(session: Session, claim: Claim, form: Form) -> None:
    decisions.snooze_item(
        session, claim, get_current_time() + timedelta(days=min(form.number("days"), 1000)), form.text("reason")
    )


DECISIONS: dict[str, Callable[[Session, Claim, Form], object]] = {
    "approve": lambda session, claim, _: decisions.approve_item(session, claim),
    "edit": _edit_item,
    "merge": _merge_item,
    "keep": lambda session, claim, form: decisions.keep_entry(session, claim, form.text("entry")),
    "reject": lambda session, claim, form: decisions.reject_item(session, claim, form.text("reason")),
    "snooze": _snooze_item,
    "undo": lambda session, claim, _: decisions.undo_decision(session, claim),
}
