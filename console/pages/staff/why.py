"""Explains how the answer to a message is chosen, and how a stored one was."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from console.pages.staff.base import Shell, status_of
from core.errors import InvalidInput, KnowledgeUnavailable, NotFound
from knowledge.answers.decision import LONGEST_QUESTION

LONGEST_ID = 64


def add_routes(routes: APIRouter, shell: Shell) -> None:
    @routes.get("/why")
    async def explain_answer(request: Request) -> Response:
        person, asked = await shell.person(request), request.query_params
        text, turn, conversation = (asked.get(name, "").strip() for name in ("text", "turn", "conversation"))
        explanations, values, status = shell.services.explanations, _build_empty_values(text), 200
        try:
            if text:
                values["found"] = await explanations.explain(shell.tenant, text)
            elif turn or conversation:
                values["found"] = await explanations.explain_turn(
                    shell.tenant, turn_id=turn[:LONGEST_ID] or None, conversation_id=conversation[:LONGEST_ID] or None
                )
        except (InvalidInput, NotFound, KnowledgeUnavailable) as error:
            values["error"], status = str(error), status_of(error)
        return await shell.page("why", person, area="entries", status=status, longest=LONGEST_QUESTION, **values)


def _build_empty_values(text: str) -> dict[str, Any]:
    return {"text": text, "found": None, "error": None}
