"""The routes that Twilio calls: messages, delivery statuses and files."""

from __future__ import annotations

import asyncio
import time

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from connectors.base import RawRequest
from connectors.http.errors import build_error_response
from connectors.http.limits import read_body
from connectors.twilio.channel import Fields, TwilioChannel
from connectors.twilio.client import OUTSIDE_WINDOW
from connectors.twilio.inbound import InboundHandler
from connectors.twilio.links import FileLinks
from connectors.twilio.session_window import was_closed
from core.db import Database
from core.db.models import get_current_time
from core.delivery import attempts
from core.errors import NotFound, RejoinderError, Unauthorised

log = structlog.get_logger()

PREFIX = "/channels/twilio"
BODY_BYTES = 128 * 1024
STATES = {"sent": "sent", "delivered": "delivered", "read": "read", "failed": "failed", "undelivered": "failed"}
LOOKS, LOOK_SECONDS = 20, 0.25
_DONE = "<Response/>"


class Routes:
    """Verifies each request and responds as soon as its content is stored."""

    def __init__(self, channel: TwilioChannel, incoming: InboundHandler, database: Database, links: FileLinks) -> None:
        self._channel, self._incoming, self._database, self._links = channel, incoming, database, links
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._rate = RateLimitItemPerMinute(channel.config.messages_per_minute)
        self._told: dict[str, float] = {}

    async def message(self, request: Request) -> Response:
        """Receive a message, press, rating or opt-out from a customer."""
        try:
            fields = await self._verify_request(request)
            if self._windows.hit(self._rate, fields.get("From", "")):
                await self._incoming.take(fields)
            else:
                await self._throttle_sender(fields)
        except RejoinderError as error:
            return _build_refusal_response(error)
        return Response(_DONE, media_type="text/xml")

    async def status(self, request: Request, channel: str, delivery_id: str) -> Response:
        """Receive the delivery status of a message."""
        try:
            fields = await self._verify_request(request)
        except RejoinderError as error:
            return _build_refusal_response(error)
        state, code = STATES.get(fields.get("MessageStatus", "")), fields.get("ErrorCode")
        if state == "failed" and code == str(OUTSIDE_WINDOW):
            await self._outside_window(channel, delivery_id, fields.get("MessageSid", ""))
        elif state:
            cause = f"Twilio's error {code}: {fields.get('ErrorMessage', '')}" if code else None
            await self._database.run(
                lambda s: attempts.record_delivery_status(
                    s, channel, state, get_current_time(), delivery_id=delivery_id, error=cause
                )
            )
        return Response(status_code=204)

    async def _outside_window(self, channel: str, delivery_id: str, sid: str) -> None:
        """Requeue the delivery; wait until its vendor id is stored, since the callback may arrive first."""
        for _ in range(LOOKS):
            if await self._database.run(lambda s: was_closed(s, channel, delivery_id, sid, get_current_time())):
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def file(self, token: str) -> Response:
        """Serve a local file that Twilio fetches to forward it."""
        try:
            path, content_type = await self._database.run(lambda s: self._links.open(s, token))
        except NotFound as error:
            return build_error_response(error)
        return FileResponse(path, media_type=content_type)

    async def _verify_request(self, request: Request) -> Fields:
        body = await read_body(request, BODY_BYTES)
        return self._channel.verify(RawRequest(request.headers, body, str(request.url)))

    async def _throttle_sender(self, fields: Fields) -> None:
        """Drop the messages of a sender over the limit; notify the customer once a minute."""
        sender, at = fields.get("From", ""), time.monotonic()
        self._told = {who: when for who, when in self._told.items() if at - when < 60}  # noqa: PLR2004 - seconds of a minute
        if sender not in self._told:
            self._told[sender] = at
            log.warning("a number writes too fast; its messages are not read", sid=fields.get("MessageSid"))
            await self._incoming.too_fast(fields)


def router(channel: TwilioChannel, incoming: InboundHandler, database: Database, links: FileLinks) -> APIRouter:
    routes, made = Routes(channel, incoming, database, links), APIRouter(tags=["twilio"])
    made.add_api_route(f"{PREFIX}/messages", routes.message, methods=["POST"])
    made.add_api_route(PREFIX + "/status/{channel}/{delivery_id}", routes.status, methods=["POST"])
    made.add_api_route(PREFIX + "/files/{token}", routes.file, methods=["GET"])
    return made


def _build_refusal_response(error: RejoinderError) -> Response:
    hint = " Is REJOINDER_PUBLIC_ADDRESS the address that Twilio calls?" if isinstance(error, Unauthorised) else ""
    log.warning("a request to Twilio's routes was refused", error=f"{error}{hint}")
    return build_error_response(error)
