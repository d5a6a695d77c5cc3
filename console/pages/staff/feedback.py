"""Feedback: rates by day, channel, intent or entry, customers' comments, and how often customers are asked."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, get_args

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.auth.sessions import Person
from console.pages.staff.base import PREFIX, Shell, redirect_to_page
from console.pages.staff.forms import count_pages, page_number, query_of
from core.db.models import EntryQuestion, InteractionFeedback, Turn, get_current_time
from core.errors import InvalidInput
from core.feedback import settings
from core.feedback.analytics import By, compute_analytics
from core.feedback.queries import list_feedback
from core.feedback.types import FeedbackFilter, Frequency

AT_ONCE = 10
MOST_GROUPS = 100
SPANS = (7, 30, 90)
THUMBS = {"up": True, "down": False}
ASKED = ("ask_feedback", "nps_days")
CHECKED = ("csat", "nps")


class FeedbackView:
    """Filters of the feedback page, read from the query string."""

    def __init__(self, request: Request) -> None:
        asked = request.query_params
        days = asked.get("days", "")
        self.days = int(days) if days in {str(span) for span in SPANS} else SPANS[1]
        self.by: By = next((each for each in get_args(By) if each == asked.get("by")), "day")
        self.channel, self.intent = asked.get("channel", "")[:32], asked.get("intent", "")[:100]
        self.thumb = asked.get("thumb", "") if asked.get("thumb") in THUMBS else ""
        self.page = page_number(request)

    def filter(self, **more: Any) -> FeedbackFilter:
        """Convert to a feedback filter of whole days (UTC), including today."""
        first = get_current_time().date() - timedelta(days=self.days - 1)
        start = datetime.combine(first, time(), UTC)
        return FeedbackFilter(start, channel=self.channel or None, intent=self.intent or None, **more)

    def query(self, **changes: Any) -> str:
        """Encode as a query string without empty values."""
        return query_of(self, **changes)


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the page of feedback and the form of its settings."""

    async def render_feedback_page(person: Person, view: FeedbackView, status: int = 200, **values: Any) -> Response:
        found = await shell.work(lambda session: _load_feedback(session, shell.tenant, view))
        return await shell.page(
            "feedback", person, area="feedback", status=status, view=view, spans=SPANS, groupings=get_args(By),
            frequencies=get_args(Frequency), **found, **values,
        )  # fmt: skip

    @routes.get("/feedback")
    async def show_feedback(request: Request) -> Response:
        person = await shell.person(request)
        return await render_feedback_page(person, FeedbackView(request), done="changed" in request.query_params)

    @routes.post("/feedback")
    async def update_feedback_settings(request: Request) -> Response:
        person, form = await shell.form(request, "users:manage")
        wanted = {name: form.text(name) for name in ASKED} | {name: bool(form.text(name)) for name in CHECKED}
        try:
            await shell.read(
                lambda session: settings.update_learning_settings(session, shell.tenant, wanted, person.email)
            )
        except InvalidInput as error:
            return await render_feedback_page(person, FeedbackView(request), 422, error=str(error))
        return redirect_to_page(f"{PREFIX}/feedback?changed")


def _load_feedback(session: Session, tenant_id: str, view: FeedbackView) -> dict[str, Any]:
    figures = compute_analytics(session, tenant_id, view.filter(), view.by)
    groups = figures["groups"][-MOST_GROUPS:][::-1] if view.by == "day" else figures["groups"][:MOST_GROUPS]
    thumb = THUMBS.get(view.thumb)
    comments = list_feedback(
        session, tenant_id, view.filter(helpful=thumb, commented=True), AT_ONCE, (view.page - 1) * AT_ONCE
    )
    return {
        "total": figures["total"],
        "groups": groups,
        "left_out": len(figures["groups"]) - len(groups),
        "names": _load_entry_names(session, tenant_id, [group["name"] for group in groups])
        if view.by == "entry"
        else {},
        "surveys": figures["surveys"],
        "moods": _select_newest_groups(figures["sentiment"]),
        "comments": comments,
        "pages": count_pages(comments.total, AT_ONCE),
        **_list_filter_choices(session, tenant_id, view),
        "settings": settings.get_learning_settings(session, tenant_id),
    }


def _select_newest_groups(sentiment: dict[str, Any]) -> dict[str, Any]:
    """Select the groups to show; days are sorted newest first."""
    groups = sentiment["groups"]
    shown = groups[-MOST_GROUPS:][::-1] if sentiment["by"] == "day" else groups[:MOST_GROUPS]
    return {**sentiment, "groups": shown}


def _load_entry_names(session: Session, tenant_id: str, ids: list[str]) -> dict[str, str]:
    """Return the first question of each entry, by entry id."""
    row = EntryQuestion
    query = select(row.entry_id, row.text).where(row.tenant_id == tenant_id, row.position == 0, row.entry_id.in_(ids))
    return dict(session.execute(query).all())


def _list_filter_choices(session: Session, tenant_id: str, view: FeedbackView) -> dict[str, list[str]]:
    """List the channels and intents that have feedback in these days."""
    query = select(Turn.channel, Turn.intent).join(InteractionFeedback, InteractionFeedback.turn_id == Turn.id)
    of_the_days = FeedbackFilter(view.filter().start).conditions(tenant_id)
    rows = session.execute(query.where(*of_the_days).distinct()).all()
    return {
        "channels": sorted({channel for channel, _ in rows}),
        "intents": sorted({intent for _, intent in rows if intent}),
    }
