"""``performance-metrics/``: the bot's performance by day, week or month."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from console.api.errors import Viewer
from console.api.page_query import From, To
from console.api.services import LearningServices
from core.db.models import get_current_time
from core.errors import InvalidInput
from evaluation import performance
from evaluation.performance import By

TAG = "performance metrics"
LONGEST = timedelta(days=3 * 366)
Channel = Annotated[str, Query(max_length=32, description="Empty: all of them.")]


class Series(BaseModel):
    """Figures by period, oldest first."""

    by: str
    first: date
    last: date
    items: list[dict[str, Any]]


class PerformanceSummary(BaseModel):
    """A period compared with the previous one of the same length."""

    first: date
    last: date
    figures: dict[str, Any]
    before: dict[str, Any]
    change: dict[str, float]
    """Change of each rate: 0.05 is five percentage points."""
    interval: dict[str, tuple[float, float]]
    """95 % interval of each change (Newcombe)."""


def add_routes(routes: APIRouter, services: LearningServices) -> None:
    """Add the routes of figures."""

    @routes.get("/performance-metrics/", tags=[TAG])
    async def list_metrics(
        _: Viewer, by: By = "day", start: From = None, end: To = None, channel: Channel = ""
    ) -> Series:
        """Counts and rates; without days the last 28."""
        first, last = _choose_period(start, end)
        found = await services.database.run(
            lambda session: performance.list_periods(session, services.tenant, first, last, by=by, channel=channel)
        )
        return Series(by=by, first=first, last=last, items=found)

    @routes.get("/performance-metrics/summary/", tags=[TAG])
    async def get_performance_summary(
        _: Viewer, start: From = None, end: To = None, channel: Channel = ""
    ) -> PerformanceSummary:
        """One period, and what changed against the one before."""
        first, last = _choose_period(start, end)
        found = await services.database.run(
            lambda session: performance.compare_periods(session, services.tenant, first, last, channel)
        )
        return PerformanceSummary(**found)


def _choose_period(start: date | None, end: date | None) -> tuple[date, date]:
    last = end or get_current_time().date()
    first = start or last - timedelta(days=27)
    if first > last:
        raise InvalidInput(f"from ({first}) lies after to ({last}).")
    if last - first > LONGEST:
        raise InvalidInput("Ask for three years at most.")
    return first, last
