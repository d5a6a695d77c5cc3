"""Feedback: rates by day, channel, intent or entry, what customers wrote, and how often they are asked."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, get_args

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.auth.sessions import Person
from console.pages.staff.base import PREFIX, Shell, see
from console.pages.staff.forms import page_number, pages, query_of
from core.db.models import EntryQuestion, InteractionFeedback, Turn, now
from core.errors import InvalidInput
from core.feedback import settings
from core.feedback.analytics import By, analytics
from core.feedback.queries import listed
from core.feedback.types import Filter, Frequency

AT_ONCE = 10
MOST_GROUPS = 100
SPANS = (7, 30, 90)
THUMBS = {"up": True, "down": False}
ASKED = ("ask_feedback", "nps_days")
CHECKED = ("csat", "nps")


class View:
    """Which feedback somebody looks at, as the address says."""

    def __init__(self, request: Request) -> None:
        asked = request.query_params
        days = asked.get("days", "")
        self.days = int(days) if days in {str(span) for span in SPANS} else SPANS[1]
        self.by: By = next((each for each in get_args(By) if each == asked.get("by")), "day")
        self.channel, self.intent = asked.get("channel", "")[:32], asked.get("intent", "")[:100]
        self.thumb = asked.get("thumb", "") if asked.get("thumb") in THUMBS else ""
        self.page = page_number(request)

    def filter(self, **more: Any) -> Filter:
        """As a search: whole days (UTC), today included."""
        first = now().date() - timedelta(days=self.days - 1)
        start = datetime.combine(first, time(), UTC)
        return Filter(start, channel=self.channel or None, intent=self.intent or None, **more)

    def query(self, **changes: Any) -> str:
        """As the part of an address behind the question mark; empty values are left out."""
        return query_of(self, **changes)


def add_to(routes: APIRouter, shell: Shell) -> None:
    """The page of feedback, and how often customers are asked."""

    async def page(person: Person, view: View, status: int = 200, **values: Any) -> Response:
        found = await shell.work(lambda session: _found(session, shell.tenant, view))
        return await shell.page(
            "feedback", person, area="feedback", status=status, view=view, spans=SPANS, groupings=get_args(By),
            frequencies=get_args(Frequency), **found, **values,
        )  # fmt: skip

    @routes.get("/feedback")
    async def shown(request: Request) -> Response:
        person = await shell.person(request)
        return await page(person, View(request), done="changed" in request.query_params)

    @routes.post("/feedback")
    async def change(request: Request) -> Response:
        person, form = await shell.form(request, "users:manage")
        wanted = {name: form.text(name) for name in ASKED} | {name: bool(form.text(name)) for name in CHECKED}
        try:
            await shell.read(lambda session: settings.change(session, shell.tenant, wanted, person.email))
        except InvalidInput as error:
            return await page(person, View(request), 422, error=str(error))
        return see(f"{PREFIX}/feedback?changed")


def _found(session: Session, tenant_id: str, view: View) -> dict[str, Any]:
    figures = analytics(session, tenant_id, view.filter(), view.by)
    groups = figures["groups"][-MOST_GROUPS:][::-1] if view.by == "day" else figures["groups"][:MOST_GROUPS]
    thumb = THUMBS.get(view.thumb)
    comments = listed(
        session, tenant_id, view.filter(helpful=thumb, commented=True), AT_ONCE, (view.page - 1) * AT_ONCE
    )
    return {
        "total": figures["total"],
        "groups": groups,
        "left_out": len(figures["groups"]) - len(groups),
        "names": _names(session, tenant_id, [group["name"] for group in groups]) if view.by == "entry" else {},
        "surveys": figures["surveys"],
        "moods": _newest(figures["sentiment"]),
        "comments": comments,
        "pages": pages(comments.total, AT_ONCE),
        **_choices(session, tenant_id, view),
        "settings": settings.of(session, tenant_id),
    }


def _newest(sentiment: dict[str, Any]) -> dict[str, Any]:
    """The groups as they are shown: days from the newest on."""
    groups = sentiment["groups"]
    shown = groups[-MOST_GROUPS:][::-1] if sentiment["by"] == "day" else groups[:MOST_GROUPS]
    return {**sentiment, "groups": shown}


def _names(session: Session, tenant_id: str, ids: list[str]) -> dict[str, str]:
    """First question of each entry."""
    row = EntryQuestion
    query = select(row.entry_id, row.text).where(row.tenant_id == tenant_id, row.position == 0, row.entry_id.in_(ids))
    return dict(session.execute(query).all())


def _choices(session: Session, tenant_id: str, view: View) -> dict[str, list[str]]:
    """The channels and intents that there is feedback of in these days."""
    query = select(Turn.channel, Turn.intent).join(InteractionFeedback, InteractionFeedback.turn_id == Turn.id)
    of_the_days = Filter(view.filter().start).conditions(tenant_id)
    rows = session.execute(query.where(*of_the_days).distinct()).all()
    return {
        "channels": sorted({channel for channel, _ in rows}),
        "intents": sorted({intent for _, intent in rows if intent}),
    }
