"""`POST /api/chat/signs`: typing and read receipts from the visitor; best effort, with an empty response."""

from __future__ import annotations

from typing import Protocol

from fastapi import APIRouter, Request, Response

from connectors.base import RawRequest
from connectors.http.errors import route_class
from connectors.http.limits import read_body
from connectors.web.access import WebAccess
from connectors.web.bodies import SignsBody, parse_body
from connectors.web.routes import PREFIX


class Taking(Protocol):
    async def typing(self, conversation_id: str) -> None:
        """Record that the visitor is typing."""
        ...

    async def seen(self, conversation_id: str, up_to: int) -> None:
        """Record that the visitor has read up to this message."""
        ...


def router(access: WebAccess, signs: Taking) -> APIRouter:
    channel, limits, config = access.channel, access.limits, access.config
    routes = APIRouter(route_class=route_class(access.origins), tags=["chat"])

    async def receive_signs(request: Request) -> Response:
        """Record that the visitor is typing or has read messages."""
        limits.count_request(request.client.host if request.client else "unknown")
        visitor = channel.verify(RawRequest(request.headers))
        body = parse_body(SignsBody, await read_body(request, config.max_body_bytes))
        if body.typing:
            await signs.typing(visitor.conversation_id)
        if body.seen:
            await signs.seen(visitor.conversation_id, body.seen)
        return Response(status_code=204)

    routes.add_api_route(f"{PREFIX}/signs", receive_signs, methods=["POST"], status_code=204)
    return routes
