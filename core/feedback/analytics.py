"""Feedback statistics for a period, in total and by day, channel, intent or entry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import fmean, median
from typing import Any, Literal

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from core.db.models import InteractionFeedback, SurveyResponse, Turn
from core.feedback.moods import compute_moods
from core.feedback.types import FeedbackFilter

By = Literal["day", "channel", "intent", "entry"]
ROWS_AT_ONCE = 1000
HAPPY = 4
"""Lowest CSAT score that counts as satisfied."""
PROMOTER, DETRACTOR = 9, 6
"""NPS: promoters score at least the first value, detractors at most the second."""


def compute_analytics(session: Session, tenant_id: str, wanted: FeedbackFilter, by: By) -> dict[str, Any]:
    """Compute totals, groups, survey scores and sentiment (sentiment is by day where the groups are entries)."""
    row = InteractionFeedback
    columns = (
        row.helpful,
        row.comment.is_not(None).label("commented"),
        row.continued,
        row.completed,
        row.asked_for_person,
        row.rephrased,
        row.left,
        row.response_seconds,
        row.implicit_score,
        row.created_at,
        Turn.channel,
        Turn.intent,
        *([Turn.entries] if by == "entry" else []),
    )
    query = select(*columns).join(Turn, Turn.id == row.turn_id).where(*wanted.conditions(tenant_id))
    rows = session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)).all()
    groups: dict[str, list[Row[Any]]] = defaultdict(list)
    for one in rows:
        for name in _get_group_names(one, by):
            groups[name].append(one)
    found = [{"name": name, **_compute_figures(group)} for name, group in groups.items()]
    found.sort(key=lambda group: group["name"] if by == "day" else (-group["answers"], group["name"]))
    return {
        "total": _compute_figures(rows),
        "by": by,
        "groups": found,
        "surveys": compute_survey_scores(session, tenant_id, wanted),
        "sentiment": compute_moods(session, tenant_id, wanted, "day" if by == "entry" else by),
    }


def compute_survey_scores(session: Session, tenant_id: str, wanted: FeedbackFilter) -> dict[str, Any]:
    """Compute CSAT and NPS of the period."""
    query = select(SurveyResponse.kind, SurveyResponse.score).where(SurveyResponse.tenant_id == tenant_id)
    if wanted.start:
        query = query.where(SurveyResponse.asked_at >= wanted.start)
    if wanted.end:
        query = query.where(SurveyResponse.asked_at < wanted.end)
    scores: dict[str, list[int | None]] = {"csat": [], "nps": []}
    for kind, score in session.execute(query):
        scores[kind].append(score)
    csat, nps = ([score for score in scores[kind] if score is not None] for kind in ("csat", "nps"))
    promoters, detractors = (compute_share(s >= PROMOTER for s in nps), compute_share(s <= DETRACTOR for s in nps))
    return {
        "csat": {
            "asked": len(scores["csat"]),
            "answered": len(csat),
            "average": _round_figure(fmean(csat)) if csat else None,
            "satisfied_rate": compute_share(score >= HAPPY for score in csat),
        },
        "nps": {
            "asked": len(scores["nps"]),
            "answered": len(nps),
            "score": None if promoters is None or detractors is None else round(100 * (promoters - detractors), 1),
        },
    }


def _get_group_names(row: Row[Any], by: By) -> Sequence[str]:
    if by == "day":
        return [row.created_at.date().isoformat()]
    if by == "entry":
        return list(dict.fromkeys(str(entry["id"]) for entry in row.entries))
    return [getattr(row, by) or "unknown"]


def _compute_figures(rows: Sequence[Row[Any]]) -> dict[str, Any]:
    settled = [row for row in rows if row.implicit_score is not None]
    helpful, not_helpful = (sum(row.helpful is value for row in rows) for value in (True, False))
    rated = helpful + not_helpful
    seconds = [row.response_seconds for row in settled if row.response_seconds is not None]
    return {
        "answers": len(rows),
        "rated": rated,
        "helpful": helpful,
        "not_helpful": not_helpful,
        "rating_rate": _round_figure(rated / len(rows)) if rows else None,
        "helpful_rate": _round_figure(helpful / rated) if rated else None,
        "comments": sum(bool(row.commented) for row in rows),
        "settled": len(settled),
        "average_implicit_score": _round_figure(fmean(row.implicit_score for row in settled)) if settled else None,
        "continuation_rate": compute_share(row.continued for row in settled),
        "completion_rate": compute_share(row.completed for row in settled if row.completed is not None),
        "handoff_rate": compute_share(row.asked_for_person for row in settled),
        "rephrase_rate": compute_share(row.rephrased for row in settled),
        "left_rate": compute_share(row.left for row in settled),
        "median_response_seconds": _round_figure(median(seconds)) if seconds else None,
    }


def compute_share(values: Iterable[bool | None]) -> float | None:
    """Return the share of true values, or None without any values."""
    known = list(values)
    return _round_figure(sum(map(bool, known)) / len(known)) if known else None


def _round_figure(value: float) -> float:
    return round(value, 4)
