"""``/v1/bot/corrections``: propose, approve, check, undo and reject corrections of answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from console.api.errors import Reviewer
from console.api.page_query import Limit, Offset, Tenant
from console.api.services import ApiServices
from console.auth.sessions import Person
from knowledge.curation.corrections import decisions, proposals, queries
from knowledge.curation.corrections.queries import CorrectionFilter
from knowledge.curation.corrections.types import LONGEST, Category, EntryAction, Proposal, Status

Text = Annotated[str, Field(max_length=LONGEST)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class _CorrectionBody(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CorrectionBody(_CorrectionBody):
    """A correction of a stored answer (turn or message), or of an answer to a question given as text."""

    answer: Text = ""
    category: Category
    turn_id: str | None = None
    message_id: str | None = None
    question: Text | None = None
    bot_answer: Text | None = None
    reason: Text = ""
    quality: Annotated[int | None, Field(ge=0, le=5)] = None
    intent: Annotated[str | None, Field(max_length=100)] = None
    entry_id: str | None = None
    entry_action: EntryAction | None = None
    author: Name | None = None
    """Author for whom the token's holder acts; a signed-in person is always the author."""


class CorrectionDecisionBody(_CorrectionBody):
    """Reason, and the person for whom the token's holder acts. Signed-in staff decide in their own name."""

    by: Name | None = None
    reason: Text = ""


class CorrectionItem(BaseModel):
    """A correction and its effects."""

    id: str
    status: str
    category: str
    question: str
    bot_answer: str
    answer: str
    reason: str
    quality: int | None
    intent: str | None
    entry_id: str | None
    entry_action: str
    author: str
    decided_by: str | None
    decided_at: datetime | None
    conversation_id: str | None
    turn_id: str | None
    effects: dict[str, Any]
    live: bool | None
    """Whether the vector index holds it; null if nothing was published."""
    created_at: datetime


class CorrectionPage(BaseModel):
    """One page of matching corrections."""

    total: int
    limit: int
    offset: int
    items: list[CorrectionItem]


def get_acting_name(person: Person, named: str | None) -> str:
    """Return the name to act under: a signed-in person's own, or the one that the token's holder gives."""
    return person.email if person.user_id else named or person.email


async def decide_correction(
    services: ApiServices, decide: Callable[..., dict[str, Any]], tenant: str, *values: str
) -> CorrectionItem:
    """Apply a decision in a thread, then drop cached model answers, whose evidence may have changed."""
    item = CorrectionItem(**await asyncio.to_thread(decide, tenant, *values))
    services.router.invalidate(tenant)
    return item


def add_routes(routes: APIRouter, services: ApiServices) -> None:
    """Add the routes of corrections."""

    async def read_correction_page(tenant: str, wanted: CorrectionFilter, limit: int, offset: int) -> CorrectionPage:
        def load_corrections(session: Session) -> CorrectionPage:
            total, found = queries.list_corrections(session, tenant, wanted, limit, offset)
            items = [CorrectionItem(**queries.describe_correction(session, correction)) for correction in found]
            return CorrectionPage(total=total, limit=limit, offset=offset, items=items)

        return await services.database.run(load_corrections)

    @routes.get("/bot/corrections/")
    async def list_corrections(
        *,
        status: Status | None = None,
        category: Category | None = None,
        author: str | None = None,
        entry_id: str | None = None,
        limit: Limit = 50,
        offset: Offset = 0,
        tenant: Tenant = services.tenant,
    ) -> CorrectionPage:
        """List corrections, the newest first."""
        return await read_correction_page(tenant, CorrectionFilter(status, category, author, entry_id), limit, offset)

    @routes.get("/bot/corrections/approved/")
    async def list_approved_corrections(
        limit: Limit = 50, offset: Offset = 0, tenant: Tenant = services.tenant
    ) -> CorrectionPage:
        """List the corrections that are in force."""
        return await read_correction_page(tenant, CorrectionFilter("approved"), limit, offset)

    @routes.post("/bot/corrections/", status_code=201)
    async def propose_correction(
        person: Reviewer, body: CorrectionBody, tenant: Tenant = services.tenant
    ) -> CorrectionItem:
        """Say what the bot should have said; somebody approves it."""

        def store_proposal(session: Session) -> CorrectionItem:
            given = {**body.model_dump(), "author": get_acting_name(person, body.author)}
            correction = proposals.propose_correction(session, tenant, Proposal(**given))
            return CorrectionItem(**queries.describe_correction(session, correction))

        return await services.database.run(store_proposal)

    _add_decisions(routes, services)


def _add_decisions(routes: APIRouter, services: ApiServices) -> None:
    @routes.get("/bot/corrections/{correction_id}/")
    async def get_correction(correction_id: str, tenant: Tenant = services.tenant) -> CorrectionItem:
        def load_correction(session: Session) -> CorrectionItem:
            return CorrectionItem(
                **queries.describe_correction(session, queries.get_correction(session, tenant, correction_id))
            )

        return await services.database.run(load_correction)

    @routes.post("/bot/corrections/{correction_id}/approve/")
    async def approve_correction(
        correction_id: str, person: Reviewer, body: CorrectionDecisionBody, tenant: Tenant = services.tenant
    ) -> CorrectionItem:
        """Live at once, for every phrasing; ``effects.asked`` has what its questions get now."""
        return await decide_correction(
            services, services.corrections.approve, tenant, correction_id, get_acting_name(person, body.by)
        )

    @routes.post("/bot/corrections/{correction_id}/undo/")
    async def undo_correction(
        correction_id: str, person: Reviewer, body: CorrectionDecisionBody, tenant: Tenant = services.tenant
    ) -> CorrectionItem:
        """As if it had never been approved; the entries get new versions with what they said before."""
        return await decide_correction(
            services, services.corrections.undo, tenant, correction_id, get_acting_name(person, body.by)
        )

    @routes.post("/bot/corrections/{correction_id}/check/")
    async def check_correction(correction_id: str, _: Reviewer, tenant: Tenant = services.tenant) -> CorrectionItem:
        """Ask its questions again."""
        return await decide_correction(services, services.corrections.check, tenant, correction_id)

    @routes.post("/bot/corrections/{correction_id}/reject/")
    async def reject_correction(
        correction_id: str, person: Reviewer, body: CorrectionDecisionBody, tenant: Tenant = services.tenant
    ) -> CorrectionItem:
        """Reject a correction, with a reason."""

        def store_rejection(session: Session) -> CorrectionItem:
            correction = decisions.reject_correction(
                session, tenant, correction_id, get_acting_name(person, body.by), body.reason
            )
            return CorrectionItem(**queries.describe_correction(session, correction))

        return await services.database.run(store_rejection)
