"""`POST /api/chat/transfer-to-whatsapp`: the visitor goes on there; first with their number, then with the code that came."""

from __future__ import annotations

from typing import Protocol

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from connectors.base import RawRequest
from connectors.http.errors import route_class
from connectors.http.limits import read_body
from connectors.web.access import WebAccess
from connectors.web.bodies import TransferBody, parse_body
from connectors.web.routes import PREFIX
from core.errors import Unavailable


class Transfers(Protocol):
    """Where conversations can go on."""

    async def send_code(self, conversation_id: str, number: str) -> None:
        """Ask the owner of the number."""
        ...

    async def confirm(self, conversation_id: str, number: str, code: str) -> None:
        """Move, if the code is right."""
        ...


def router(access: WebAccess, transfers: Transfers | None) -> APIRouter:
    """The route; without WhatsApp it says that there is none."""
    channel, limits, config = access.channel, access.limits, access.config
    routes = APIRouter(route_class=route_class(access.origins), tags=["chat"])

    async def transfer_conversation(request: Request) -> Response:
        """202: a code was sent; 200: the conversation goes on there."""
        limits.count_request(request.client.host if request.client else "unknown")
        visitor = channel.verify(RawRequest(request.headers))
        body = parse_body(TransferBody, await read_body(request, config.max_body_bytes))
        if transfers is None:
            raise Unavailable("WhatsApp is not set up here.")
        if body.code is None:
            await transfers.send_code(visitor.conversation_id, body.number)
            return JSONResponse({"code_sent": True}, 202)
        await transfers.confirm(visitor.conversation_id, body.number, body.code)
        return JSONResponse({"moved": True})

    routes.add_api_route(f"{PREFIX}/transfer-to-whatsapp", transfer_conversation, methods=["POST"])
    return routes
