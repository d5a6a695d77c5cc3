"""`POST /api/chat/transfer-to-whatsapp`: continue on WhatsApp; first with a phone number, then with the code sent to it."""

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
    """Transfers conversations to another channel."""

    async def send_code(self, conversation_id: str, number: str) -> None:
        """Send a confirmation code to the number."""
        ...

    async def confirm(self, conversation_id: str, number: str, code: str) -> None:
        """Move the conversation if the code is right."""
        ...


def router(access: WebAccess, transfers: Transfers | None) -> APIRouter:
    """Return the route; without WhatsApp it responds that it is unavailable."""
    channel, limits, config = access.channel, access.limits, access.config
    routes = APIRouter(route_class=route_class(access.origins), tags=["chat"])

    async def transfer_conversation(request: Request) -> Response:
        """202: a code was sent; 200: the conversation continues on WhatsApp."""
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
