"""``/v1/bot/knowledge/why``: explains why a message gets its answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from console.api.errors import Viewer, route_class
from console.auth.gate import Gate
from console.explanations import Explanations
from core.errors import InvalidInput
from knowledge.answers.decision import LONGEST_QUESTION

MOST_TURNS = 50
Text = Annotated[str, Field(max_length=LONGEST_QUESTION)]
Id = Annotated[str | None, Query(max_length=200)]


class EarlierMessage(BaseModel):
    """A message before the one to explain."""

    model_config = ConfigDict(extra="forbid")

    speaker: Literal["customer", "bot", "agent"]
    text: Text


class WhyBody(BaseModel):
    """A message and those before it, oldest first."""

    model_config = ConfigDict(extra="forbid")

    text: Text
    history: Annotated[list[EarlierMessage], Field(max_length=MOST_TURNS)] = []


def router(gate: Gate, explanations: Explanations) -> APIRouter:
    """Build the router; requests need ``Authorization: Bearer TOKEN``, or a session cookie and its ``X-CSRF-Token``."""
    routes = APIRouter(prefix="/v1/bot/knowledge", route_class=route_class(gate.caller), tags=["knowledge base"])

    @routes.get("/why")
    async def explain_answer(
        _: Viewer,
        text: Annotated[str, Query(max_length=LONGEST_QUESTION)] = "",
        turn: Id = None,
        conversation: Id = None,
    ) -> dict[str, Any]:
        """Of a message, of a stored turn, or of the last turn of a conversation: one of the three."""
        if sum(map(bool, (text.strip(), turn, conversation))) != 1:
            raise InvalidInput("Give one of text, turn and conversation.")
        if text.strip():
            return await explanations.explain(gate.tenant, text)
        return await explanations.explain_turn(gate.tenant, turn_id=turn, conversation_id=conversation)

    @routes.post("/why")
    async def why_after(body: WhyBody, _: Viewer) -> dict[str, Any]:
        """Of a message after others; nothing is stored."""
        said = [(each.speaker, each.text) for each in body.history]
        return await explanations.explain(gate.tenant, body.text, said)

    return routes
