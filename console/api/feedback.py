"""``/v1/bot/feedback``: thumbs from holders of a signed token; lists and figures for staff."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from connectors.base import RawRequest
from connectors.http.errors import route_class
from connectors.http.limits import read_body
from connectors.web.access import WebAccess
from connectors.web.bodies import SubmitBody, parse_body
from console.api.page_query import From, Limit, Offset, Tenant, To, build_period
from console.api.services import ApiServices
from core.conversations.feedback import Feedback
from core.feedback.analytics import By, compute_analytics
from core.feedback.links import RatedAnswer, RatingLinks
from core.feedback.queries import list_feedback
from core.feedback.types import FeedbackFilter

DAYS = 30
"""Default period of the figures, in days."""
_BODY = {"content": {"application/json": {"schema": SubmitBody.model_json_schema()}}, "required": True}


class FeedbackItem(BaseModel):
    """A customer's feedback on one answer."""

    id: str
    conversation_id: str
    turn_id: str
    message_id: str
    question: str
    answer: str
    helpful: bool | None
    comment: str | None
    source: str
    channel: str
    intent: str | None
    outcome: str | None
    written_by: str | None
    entries: list[str]
    continued: bool | None
    completed: bool | None
    asked_for_person: bool | None
    rephrased: bool | None
    left: bool | None
    response_seconds: float | None
    implicit_score: float | None
    created_at: datetime
    updated_at: datetime


class FeedbackPage(BaseModel):
    """One page of matching feedback."""

    total: int
    limit: int
    offset: int
    items: list[FeedbackItem]


class LinkBody(BaseModel):
    """The answer that a link rates."""

    message_id: str


def _build_filter(
    *,
    start: From = None,
    end: To = None,
    helpful: bool | None = None,
    commented: bool | None = None,
    source: str | None = None,
    channel: str | None = None,
    intent: str | None = None,
    entry: Annotated[str | None, Query(description="Id of an entry that went into the answer.")] = None,
    conversation_id: str | None = None,
) -> FeedbackFilter:
    first, last = build_period(start, end)
    return FeedbackFilter(first, last, helpful, commented, source, channel, intent, entry, conversation_id)


Wanted = Annotated[FeedbackFilter, Depends(_build_filter)]


def add_routes(routes: APIRouter, services: ApiServices) -> None:
    """Add the routes for staff."""

    @routes.get("/bot/feedback/")
    async def read_feedback_page(
        wanted: Wanted, limit: Limit = 50, offset: Offset = 0, tenant: Tenant = services.tenant
    ) -> FeedbackPage:
        """Thumbs and signals, newest first."""
        page = await services.database.run(lambda session: list_feedback(session, tenant, wanted, limit, offset))
        return FeedbackPage.model_validate({**vars(page), "limit": limit, "offset": offset})

    @routes.get("/bot/feedback/analytics/")
    async def get_feedback_analytics(
        wanted: Wanted, by: By = "day", start: From = None, end: To = None, tenant: Tenant = services.tenant
    ) -> dict[str, Any]:
        """Counts and rates of a period (the last 30 days where none is named), in all and by group; CSAT, NPS, sentiment."""
        last = end or datetime.now(UTC).date()
        first = start or last - timedelta(days=DAYS)
        within = FeedbackFilter(
            **{**vars(wanted), **dict(zip(("start", "end"), build_period(first, last), strict=True))}
        )
        found = await services.database.run(lambda session: compute_analytics(session, tenant, within, by))
        return {"from": _format_day(first), "to": _format_day(last), **found}

    @routes.post("/bot/feedback/links/", status_code=201)
    async def issue_feedback_link(body: LinkBody, tenant: Tenant = services.tenant) -> dict[str, Any]:
        """A signed token with which somebody may give a thumb on one answer, as in an e-mail."""
        issued = await services.database.run(lambda session: services.links.issue(session, tenant, body.message_id))
        return {"token": issued.token, "expires_at": issued.expires_at}


def submit_router(feedback: Feedback, links: RatingLinks, access: WebAccess) -> APIRouter:
    """Build the public route, for pages on the allow-list and for rating links."""
    routes = APIRouter(prefix="/v1", route_class=route_class(access.origins), tags=["feedback"])
    channel, limits, config = access.channel, access.limits, access.config

    @routes.post("/bot/feedback/submit/", openapi_extra={"requestBody": _BODY})
    async def submit_feedback(request: Request) -> Response:
        """Give an answer a thumb, or change it: with a link's token, or a session token and a message's id."""
        limits.count_request(request.client.host if request.client else "unknown")
        body = parse_body(SubmitBody, await read_body(request, config.max_body_bytes))
        if body.message_id is not None:
            answer = RatedAnswer(channel.verify(RawRequest(request.headers)).conversation_id, body.message_id)
        else:
            answer = links.answer(body.token or "")
        await feedback.rate(
            answer.conversation_id,
            answer.message_id,
            helpful=body.helpful,
            comment=body.comment,
            source="api" if body.token is None else "link",
        )
        return JSONResponse({"message_id": answer.message_id, "helpful": body.helpful})

    @routes.options("/bot/feedback/submit/", include_in_schema=False)
    async def answer_preflight() -> Response:
        return Response(status_code=204)

    return routes


def _format_day(day: date) -> str:
    return day.isoformat()
