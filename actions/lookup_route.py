"""Internal endpoint through which the command line looks up a message, as ``app`` does before calling Rasa."""

from __future__ import annotations

import asyncio
import hmac
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, HTTPException
from pydantic import BaseModel

from core.conversations.knowledge_lookup import PATH, Asked, KnowledgeLookup


class _Said(BaseModel):
    speaker: Literal["customer", "bot", "agent"]
    text: str


class _LookupBody(BaseModel):
    tenant_id: str
    conversation_id: str
    turn_id: str
    text: str
    history: list[_Said] = []


def router(lookup: KnowledgeLookup, secret: str) -> APIRouter:
    """Create ``POST /knowledge/match``, protected by the action webhook's secret; it returns the metadata for a message."""
    routes = APIRouter()

    @routes.post(PATH, include_in_schema=False)
    async def match_question(body: _LookupBody, authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
        if not hmac.compare_digest(authorization.encode(), f"Bearer {secret}".encode()):
            raise HTTPException(401, "Wrong or missing secret.")
        said = tuple((each.speaker, each.text) for each in body.history)
        asked = Asked(body.tenant_id, body.conversation_id, body.turn_id, body.text, said)
        found = await asyncio.to_thread(lookup.match, asked)
        return found.metadata() if found else {}

    return routes
