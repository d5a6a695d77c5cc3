"""``training-data/``: items waiting for review, and the decisions on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from console.api.errors import Reviewer, Viewer
from console.api.page_query import Limit, Offset
from console.api.services import LearningServices
from console.auth.sessions import Person
from core.db.models import ReviewItem
from core.errors import Unavailable
from knowledge.curation.review import decisions, queries
from knowledge.curation.review.queries import ReviewFilter
from knowledge.curation.review.types import LONGEST, MOST_QUESTIONS, Claim, Kind, Status, Wording

TAG = "training data"
Text = Annotated[str, Field(max_length=LONGEST)]
Short = Annotated[str, Field(max_length=1000)]
Search = Annotated[str | None, Query(max_length=200, description="In questions, answer and subject.")]


class ReviewDecisionBody(BaseModel):
    """The revision that the decision is based on; if it is outdated, the response is 409."""

    model_config = ConfigDict(extra="forbid")

    revision: Annotated[int, Field(ge=1)]


class EditBody(ReviewDecisionBody):
    """Values to change; omitted ones stay unchanged."""

    questions: Annotated[list[Text], Field(max_length=MOST_QUESTIONS)] | None = None
    answer: Text | None = None
    subject: Annotated[str, Field(max_length=200)] | None = None
    intent: Annotated[str, Field(max_length=100)] | None = None


class MergeBody(ReviewDecisionBody):
    """The entry that gets the item's questions as phrasings."""

    entry_id: Annotated[str, Field(max_length=26)]
    take_answer: bool = False


class KeepBody(ReviewDecisionBody):
    """The entry to keep among those that contradict each other."""

    entry_id: Annotated[str, Field(max_length=26)]


class RejectBody(ReviewDecisionBody):
    reason: Short


class SnoozeBody(ReviewDecisionBody):
    """End of the snooze, with its time zone."""

    until: AwareDatetime
    reason: Short = ""


class ConversationBody(BaseModel):
    """The conversation to look through."""

    model_config = ConfigDict(extra="forbid")

    conversation_id: Annotated[str, Field(min_length=1, max_length=26)]


class ReviewItemResponse(BaseModel):
    id: str
    kind: str
    status: str
    questions: list[str]
    answer: str
    context: list[dict[str, Any]]
    subject: str | None
    language: str
    intent: str | None
    evidence: list[dict[str, Any]]
    asks: int
    effect: float
    entry_id: str | None
    near: list[dict[str, Any]]
    """Similar entries; when a single item is read, with the differences of their answers."""
    reason: str
    first_by: str | None
    wanted: dict[str, Any] | None
    """Content that the first of two people approved."""
    decided_by: str | None
    decided_at: datetime | None
    snoozed_until: datetime | None
    expires_at: datetime | None
    live: bool | None
    """Whether the search index holds what was published; null if nothing was."""
    revision: int
    created_at: datetime
    updated_at: datetime


class ItemPage(BaseModel):
    """One page of matching items."""

    total: int
    limit: int
    offset: int
    items: list[ReviewItemResponse]


def add_routes(routes: APIRouter, services: LearningServices) -> None:
    """Add the routes of the queue."""

    @routes.get("/training-data/", tags=[TAG])
    async def list_review_items(
        *,
        _: Viewer,
        status: Status | None = None,
        kind: Kind | None = None,
        search: Search = None,
        language: Annotated[str | None, Query(max_length=8)] = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> ItemPage:
        """The greatest expected effect first; without a status what waits for a decision."""
        wanted = ReviewFilter(status, kind, search, language)

        def load_review_items(session: Session) -> ItemPage:
            total, found = queries.list_review_items(session, services.tenant, wanted, limit, offset)
            shown = [ReviewItemResponse(**queries.describe_item(session, item)) for item in found]
            return ItemPage(total=total, limit=limit, offset=offset, items=shown)

        return await services.database.run(load_review_items)

    @routes.get("/training-data/analytics/", tags=[TAG])
    async def get_review_analytics(_: Viewer, days: Annotated[int, Query(ge=1, le=366)] = 28) -> dict[str, Any]:
        """How long the queue is, what it could win, and how the last days' decisions went."""
        return await services.database.run(
            lambda session: queries.compute_review_analytics(session, services.tenant, days)
        )

    @routes.post("/training-data/process_conversation/", tags=[TAG])
    async def process_conversation(body: ConversationBody, _: Reviewer) -> dict[str, Any]:
        """Look for entries to suggest in one conversation."""
        if services.harvest is None:
            raise Unavailable("Learning from conversations is not part of this installation.")
        return await services.harvest(services.tenant, body.conversation_id)

    @routes.post("/training-data/bulk_process/", tags=[TAG], status_code=202)
    async def bulk_process(_: Reviewer) -> dict[str, Any]:
        """Begin to look through all conversations that are over and were not looked at yet."""
        if services.harvest_all is None:
            raise Unavailable("Learning from conversations is not part of this installation.")
        return await asyncio.to_thread(services.harvest_all, services.tenant)

    _add_item_routes(routes, services)
    _add_decisions(routes, services)


def _add_item_routes(routes: APIRouter, services: LearningServices) -> None:
    @routes.get("/training-data/{item_id}/", tags=[TAG])
    async def get_review_item(item_id: str, _: Viewer) -> ReviewItemResponse:
        """One item with where it was said and the entries near to it."""
        return await _load_review_item(services, item_id)

    @routes.patch("/training-data/{item_id}/", tags=[TAG])
    async def edit_review_item(item_id: str, body: EditBody, person: Reviewer) -> ReviewItemResponse:
        """Say it in other words; it stays in the queue."""

        def store_edit(session: Session, claim: Claim) -> ReviewItem:
            before = queries.get_review_item(session, services.tenant, item_id)
            now = {name: getattr(before, name) for name in ("questions", "answer", "subject", "intent")}
            given = body.model_dump(exclude_unset=True, exclude={"revision"})
            values = {**now, **{name: value for name, value in given.items() if value is not None}}
            return decisions.edit_item(session, claim, Wording(**{**values, "questions": tuple(values["questions"])}))

        return await _decide_review_item(services, item_id, body, person, store_edit)


async def _load_review_item(services: LearningServices, item_id: str) -> ReviewItemResponse:
    def load_details(session: Session) -> ReviewItemResponse:
        return ReviewItemResponse(
            **queries.describe_item_details(session, queries.get_review_item(session, services.tenant, item_id))
        )

    return await services.database.run(load_details)


async def _decide_review_item(
    services: LearningServices,
    item_id: str,
    body: ReviewDecisionBody,
    person: Person,
    work: Callable[[Session, Claim], ReviewItem],
) -> ReviewItemResponse:
    claim = Claim(services.tenant, item_id, body.revision, person.email)
    await services.desk.decide(services.tenant, lambda session: work(session, claim))
    return await _load_review_item(services, item_id)


def _add_decisions(routes: APIRouter, services: LearningServices) -> None:
    @routes.post("/training-data/{item_id}/approve/", tags=[TAG])
    async def approve_review_item(item_id: str, body: ReviewDecisionBody, person: Reviewer) -> ReviewItemResponse:
        """Publish it; with four eyes the first approval waits for a second person's."""
        return await _decide_review_item(services, item_id, body, person, decisions.approve_item)

    @routes.post("/training-data/{item_id}/merge/", tags=[TAG])
    async def merge_review_item(item_id: str, body: MergeBody, person: Reviewer) -> ReviewItemResponse:
        """Its questions become phrasings of an entry."""
        return await _decide_review_item(
            services,
            item_id,
            body,
            person,
            lambda session, claim: decisions.merge_item(session, claim, body.entry_id, take_answer=body.take_answer),
        )

    @routes.post("/training-data/{item_id}/keep/", tags=[TAG])
    async def keep_entry(item_id: str, body: KeepBody, person: Reviewer) -> ReviewItemResponse:
        """Of a contradiction this entry stays; those with another answer are retired."""
        return await _decide_review_item(
            services, item_id, body, person, lambda s, claim: decisions.keep_entry(s, claim, body.entry_id)
        )

    @routes.post("/training-data/{item_id}/reject/", tags=[TAG])
    async def reject_review_item(item_id: str, body: RejectBody, person: Reviewer) -> ReviewItemResponse:
        """Reject an item of the queue, with a reason."""
        return await _decide_review_item(
            services, item_id, body, person, lambda s, claim: decisions.reject_item(s, claim, body.reason)
        )

    @routes.post("/training-data/{item_id}/snooze/", tags=[TAG])
    async def snooze_review_item(item_id: str, body: SnoozeBody, person: Reviewer) -> ReviewItemResponse:
        """Out of the queue for a while."""
        return await _decide_review_item(
            services, item_id, body, person, lambda s, claim: decisions.snooze_item(s, claim, body.until, body.reason)
        )

    @routes.post("/training-data/{item_id}/undo/", tags=[TAG])
    async def undo_decision(item_id: str, body: ReviewDecisionBody, person: Reviewer) -> ReviewItemResponse:
        """Take the decision back with all that it did."""
        return await _decide_review_item(services, item_id, body, person, decisions.undo_decision)
