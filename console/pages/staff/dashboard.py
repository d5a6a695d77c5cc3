"""The dashboard: figures of the last days, lines of the last weeks, and what would help most."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.pages.staff.base import PREFIX, Shell, redirect_to_page
from console.pages.staff.chart import build_chart
from core.db.models import AuditEvent, get_current_time
from evaluation import performance
from evaluation.progress import compute_progress
from knowledge.curation.review import queries
from knowledge.curation.review.queries import ReviewFilter
from knowledge.entries import editor

SPANS = (7, 28, 90)
WEEKS = 12
LINES = {"right_rate": "right", "unknown_rate": "unknown", "handoff_rate": "handed over"}
SHOWN = 6
AREAS = {"review": "review", "entry": "entries", "correction": "corrections", "model": "trainings"}
"""Page area of each kind of changed object."""


def add_routes(routes: APIRouter, shell: Shell) -> None:
    @routes.get("")
    async def redirect_to_dashboard() -> Response:
        return redirect_to_page(f"{PREFIX}/")

    @routes.get("/")
    async def show_dashboard(request: Request) -> Response:
        person = await shell.person(request)
        given = request.query_params.get("days", "")
        days = int(given) if given in {str(span) for span in SPANS} else SPANS[0]
        found = await shell.work(lambda session: _load_dashboard(session, shell.tenant, days))
        return await shell.page("dashboard", person, area="dashboard", days=days, spans=SPANS, **found)


def _load_dashboard(session: Session, tenant_id: str, days: int) -> dict[str, Any]:
    today = get_current_time().date()
    first = performance.get_period_start(today, "week") - timedelta(weeks=WEEKS - 1)
    weeks = performance.list_periods(session, tenant_id, first, today, by="week")
    weeks = [week for week in weeks if week["questions"]]
    made = compute_progress(weeks, today)
    _, top = queries.list_review_items(session, tenant_id, ReviewFilter(), SHOWN, 0)
    changes = select(AuditEvent).filter_by(tenant_id=tenant_id).order_by(AuditEvent.id.desc()).limit(SHOWN)
    return {
        "summary": performance.compare_periods(session, tenant_id, today - timedelta(days=days - 1), today),
        "weeks": list(zip(made.weeks, weeks, strict=True)),
        "progress": made,
        "chart": build_chart(weeks, LINES),
        "queue": queries.compute_review_analytics(session, tenant_id),
        "top": top,
        "served": editor.served_count(session, tenant_id),
        "changes": [_describe_audit_event(event) for event in session.scalars(changes)],
    }


def _describe_audit_event(event: AuditEvent) -> dict[str, Any]:
    area = AREAS.get(event.kind)
    link = f"{PREFIX}/{area}/{event.subject_id}" if area else None
    return {"kind": event.kind, "action": event.action, "by": event.by, "at": event.created_at, "link": link}
