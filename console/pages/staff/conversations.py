"""One conversation, as evidence to read."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.pages.staff.shell import Shell
from core.db.models import Conversation, HumanCorrection, Message, Turn
from core.errors import NotFound

MOST = 500


def add_to(routes: APIRouter, shell: Shell) -> None:
    """The page of a conversation."""

    @routes.get("/conversations/{conversation_id}")
    async def shown(request: Request, conversation_id: str) -> Response:
        person = await shell.person(request)
        found = await shell.read(lambda session: _found(session, shell.tenant, conversation_id))
        marked = request.query_params.get("message", "")
        return await shell.page("conversation", person, area="", marked=marked, **found)


def _found(session: Session, tenant_id: str, conversation_id: str) -> dict[str, Any]:
    conversation = session.get(Conversation, conversation_id)
    if conversation is None or conversation.tenant_id != tenant_id:
        raise NotFound("There is no such conversation.")
    said = select(Message).where(Message.conversation_id == conversation_id).order_by(Message.seq).limit(MOST)
    turns = select(Turn).where(Turn.conversation_id == conversation_id)
    corrected = select(HumanCorrection).where(HumanCorrection.conversation_id == conversation_id)
    corrections: dict[str, list[HumanCorrection]] = defaultdict(list)
    for correction in session.scalars(corrected.order_by(HumanCorrection.id)):
        corrections[correction.turn_id or ""].append(correction)
    messages = list(session.scalars(said))
    return {
        "conversation": conversation,
        "messages": messages,
        "last_of": {message.turn_id: message.id for message in messages if message.turn_id},
        "corrections": corrections,
        "turns": {turn.id: turn for turn in session.scalars(turns)},
        "most": MOST,
    }
