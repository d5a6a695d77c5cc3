"""Conversations: the list, and the page of one as evidence."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from console.api.page_query import build_period
from console.pages.staff.base import Shell
from console.pages.staff.timeline import load_timeline
from core.conversations import search as conversations
from core.conversations.search import COUNTED, HANDOFFS, OUTCOMES, RATINGS, ConversationFilter
from core.db.models import Customer, generate_id
from core.errors import InvalidInput

MOST = 500
AT_ONCE = 50
LONGEST_SEARCH = 200


class Search:
    """Filters of the conversation search, read from the query string; unknown choices are ignored."""

    def __init__(self, request: Request) -> None:
        asked = request.query_params
        self.text = asked.get("text", "").strip()[:LONGEST_SEARCH]
        self.channel, self.customer = asked.get("channel", "")[:32], asked.get("customer", "")[:64]
        self.outcome = _choose_known_value(asked.get("outcome", ""), OUTCOMES)
        self.handoff = _choose_known_value(asked.get("handoff", ""), HANDOFFS)
        self.rating = _choose_known_value(asked.get("rating", ""), RATINGS)
        self.first, self.last = _parse_day(asked.get("from", "")), _parse_day(asked.get("to", ""))

    def filter(self) -> ConversationFilter:
        """Convert to a conversation filter.

        Raises:
            InvalidInput: the first day comes after the last.
        """
        since, until = build_period(self.first, self.last)
        same = {name: getattr(self, name) or None for name in ("text", "channel", "outcome", "handoff", "rating")}
        return ConversationFilter(**same, customer_id=self.customer or None, since=since, until=until)

    def query(self) -> str:
        """Encode as a query string without empty values."""
        names = {"first": "from", "last": "to"}
        return urlencode({names.get(name, name): value for name, value in vars(self).items() if value})


def add_routes(routes: APIRouter, shell: Shell) -> None:
    """Add the list and the page of a conversation."""

    @routes.get("/conversations")
    async def list_conversations(request: Request) -> Response:
        person, search = await shell.person(request), Search(request)
        after = request.query_params.get("after") or None
        try:
            found = await shell.work(lambda session: _load_result_page(session, shell.tenant, search.filter(), after))
        except InvalidInput as error:
            found = await shell.work(
                lambda session: _load_result_page(session, shell.tenant, ConversationFilter(), None)
            )
            found["problem"] = str(error)
        return await shell.page(
            "conversations", person, area="conversations", given=search, query=search.query(), after=after,
            status=422 if "problem" in found else 200, counted=COUNTED, outcomes=OUTCOMES, ratings=RATINGS, **found,
        )  # fmt: skip

    @routes.get("/conversations/{conversation_id}")
    async def show_conversation(request: Request, conversation_id: str) -> Response:
        person = await shell.person(request)
        found = await shell.read(lambda session: _load_conversation(session, shell.tenant, conversation_id))
        marked = request.query_params.get("message", "")
        return await shell.page(
            "conversation", person, area="conversations", marked=marked, event=generate_id(), **found
        )


def _load_result_page(
    session: Session, tenant_id: str, wanted: ConversationFilter, after: str | None
) -> dict[str, Any]:
    page = conversations.list_conversations(session, tenant_id, wanted, AT_ONCE, after)
    return {
        "found": page.items,
        "following": page.following,
        "total": page.total,
        "channels": conversations.list_channels(session, tenant_id),
    }


def _load_conversation(session: Session, tenant_id: str, conversation_id: str) -> dict[str, Any]:
    conversation = conversations.get_conversation(session, tenant_id, conversation_id)
    customer = session.get(Customer, conversation.customer_id) if conversation.customer_id else None
    return {
        "conversation": conversation,
        "customer": customer,
        "time": load_timeline(session, conversation, MOST),
        "most": MOST,
    }


def _choose_known_value(given: str, known: tuple[str, ...]) -> str:
    return given if given in known else ""


def _parse_day(given: str) -> date | None:
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None
