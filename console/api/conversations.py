"""``/v1/bot/conversations``: search conversations, page by page."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from console.api.errors import Viewer
from console.api.page_query import From, Limit, To, build_period
from console.auth.gate import Gate
from core.conversations import search
from core.conversations.search import ConversationFilter

Outcome = Literal["answered", "suggested", "clarified", "unknown", "handoff", "action", "failed"]
HandedOver = Literal["any", "none", "open", "resolved", "not_resolved"]
Rating = Literal["helpful", "not_helpful", "satisfied", "dissatisfied"]


class ConversationItem(BaseModel):
    """A conversation in a list."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    channel: str
    status: str
    customer_id: str | None
    customer_name: str | None
    vip: bool
    messages: int
    last_text: str
    last_speaker: str
    outcome: str | None
    """Outcome of the last turn."""
    handoff: str | None
    """State of the last handoff."""
    resolved: bool | None
    helpful: int
    not_helpful: int
    csat: int | None
    created_at: datetime
    updated_at: datetime


class ConversationPage(BaseModel):
    """One page of matching conversations."""

    total: int | None
    """Counted up to 1,000; 1,001 means more. Set on the first page only."""
    items: list[ConversationItem]
    following: str | None
    """Value of ``after`` for the next page; null on the last."""


def add_routes(routes: APIRouter, gate: Gate) -> None:
    @routes.get("/conversations")
    async def list_conversations(  # noqa: PLR0917 - a filter each
        _: Viewer,
        text: Annotated[str | None, Query(max_length=200, description="Said, a name, an address, or an id.")] = None,
        channel: str | None = None,
        outcome: Outcome | None = None,
        handoff: HandedOver | None = None,
        rating: Rating | None = None,
        customer_id: str | None = None,
        first: From = None,
        last: To = None,
        after: Annotated[str | None, Query(max_length=100, description="An earlier page's ``following``.")] = None,
        limit: Limit = 50,
    ) -> ConversationPage:
        """List conversations, the most recently active first."""
        since, until = build_period(first, last)
        wanted = ConversationFilter(text, channel, outcome, handoff, rating, customer_id, since, until)

        def load_conversations(session: Session) -> ConversationPage:
            page = search.list_conversations(session, gate.tenant, wanted, limit, after)
            items = [ConversationItem.model_validate(item) for item in page.items]
            return ConversationPage(total=page.total, items=items, following=page.following)

        return await gate.database.run(load_conversations)
