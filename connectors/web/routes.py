"""The chat API: sessions, messages, the event stream, history and feedback."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import asdict, dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sse_starlette import EventSourceResponse, ServerSentEvent

from connectors.base import RawRequest
from connectors.http.config import WebConfig
from connectors.http.cors import Origins
from connectors.http.errors import route_class
from connectors.http.limits import RateLimits, read_body
from connectors.web.access import WebAccess
from connectors.web.bodies import FeedbackBody, SessionBody, SurveyBody, parse_body
from connectors.web.channel import WebChannel
from connectors.web.stream import Stream, last_event_id
from connectors.web.tokens import Visitor
from core.conversations.feedback import Feedback
from core.conversations.turns import Turns
from core.db.models import generate_id
from core.errors import NotFound, Unauthorised
from core.events import Hub

PREFIX = "/api/chat"
_AFTER_ALL = 2**31 - 1
"""Higher than any message number; used to check only that the conversation exists."""


@dataclass(frozen=True)
class _Chat:
    turns: Turns
    feedback: Feedback
    channel: WebChannel
    stream: Stream
    origins: Origins
    limits: RateLimits
    config: WebConfig

    async def open_session(self, request: Request) -> Response:
        """Open a session, or resume an earlier one with a valid token; a browser keeps its customer identity.

        ``whatsapp`` says whether the conversation can be transferred to WhatsApp.
        """
        self.origins.require(request.headers)
        self.limits.count_session(_get_client_address(request))
        body = parse_body(SessionBody, await read_body(request, self.config.max_body_bytes))
        resumed = body.token is not None and not body.fresh
        visitor = (
            await self._resume_conversation(body.token)
            if body.token and resumed
            else await self._begin_conversation(body.token)
        )
        issued = self.channel.tokens.issue(visitor.conversation_id, visitor.customer_id)
        content = {
            "token": issued.token,
            "conversation_id": visitor.conversation_id,
            "expires_at": issued.expires_at.isoformat(),
            "whatsapp": self.config.whatsapp,
        }
        return JSONResponse(content, 200 if resumed else 201)

    async def receive(self, request: Request) -> Response:
        """Store a message; the reply arrives on the stream."""
        visitor = self._verify_visitor(request)
        self.limits.count_message(visitor.conversation_id)
        body = await read_body(request, self.config.max_body_bytes)
        (inbound,) = self.channel.parse(visitor, RawRequest(request.headers, body))
        received = asdict(await self.turns.receive(inbound))
        del received["conversation_id"]  # already identified by the session's token
        return JSONResponse(received, 202)

    async def stop(self, request: Request) -> Response:
        """Stop writing the reply; the part written so far is stored."""
        visitor = self._verify_visitor(request)
        return JSONResponse({"stopping": self.turns.stop_writing(visitor.conversation_id)}, 202)

    async def follow(self, request: Request) -> Response:
        """Stream server-sent events after ``Last-Event-ID``."""
        visitor = self._verify_visitor(request)
        after = last_event_id(request.headers.get("last-event-id"))
        events = self.stream.follow(visitor.conversation_id, after)
        first = await anext(events)
        return EventSourceResponse(_chain_events(first, events), ping=self.config.heartbeat_seconds, send_timeout=30)

    async def history(self, request: Request, after: str = "0") -> Response:
        """Return the stored messages with a number above ``after``."""
        visitor = self._verify_visitor(request)
        messages = await self.turns.history(visitor.conversation_id, last_event_id(after))
        return JSONResponse({"messages": [self.channel.render(message) for message in messages]})

    async def rate(self, request: Request, message_id: str) -> Response:
        """Rate a reply with a thumbs up or down, or change the rating."""
        visitor = self._verify_visitor(request)
        body = parse_body(FeedbackBody, await read_body(request, self.config.max_body_bytes))
        await self.feedback.rate(visitor.conversation_id, message_id, helpful=body.helpful, comment=body.comment)
        return Response(status_code=204)

    async def end(self, request: Request) -> Response:
        """End the conversation and return what to ask the customer."""
        visitor = self._verify_visitor(request)
        return JSONResponse(asdict(await self.feedback.end(visitor.conversation_id)))

    async def ending(self, request: Request) -> Response:
        """Return whether the conversation is closed and which survey is due; the survey then counts as asked."""
        visitor = self._verify_visitor(request)
        return JSONResponse(asdict(await self.feedback.ending(visitor.conversation_id)))

    async def answer_survey(self, request: Request, kind: str) -> Response:
        """Store a survey score or dismissal, and return what to ask next."""
        visitor = self._verify_visitor(request)
        body = parse_body(SurveyBody, await read_body(request, self.config.max_body_bytes))
        ending = await self.feedback.answer(visitor.conversation_id, kind, body.score, body.comment)
        return JSONResponse(asdict(ending))

    def _verify_visitor(self, request: Request) -> Visitor:
        self.limits.count_request(_get_client_address(request))
        return self.channel.verify(RawRequest(request.headers))

    async def _begin_conversation(self, earlier: str | None) -> Visitor:
        customer = (self.channel.tokens.customer(earlier) if earlier else None) or generate_id()
        return Visitor(await self.turns.open(self.config.tenant, self.channel.name, customer), customer)

    async def _resume_conversation(self, token: str) -> Visitor:
        visitor = self.channel.tokens.visitor(token)
        try:
            await self.turns.history(visitor.conversation_id, _AFTER_ALL)
        except NotFound:
            raise Unauthorised("This conversation is no longer there.") from None
        return visitor


def router(turns: Turns, feedback: Feedback, hub: Hub, access: WebAccess) -> APIRouter:
    """Return all routes of the chat API."""
    channel, origins = access.channel, access.origins
    stream = Stream(turns, hub, channel.render)
    chat = _Chat(turns, feedback, channel, stream, origins, access.limits, access.config)
    routes = APIRouter(route_class=route_class(origins), tags=["chat"])
    routes.add_api_route(f"{PREFIX}/sessions", chat.open_session, methods=["POST"])
    routes.add_api_route(f"{PREFIX}/messages", chat.receive, methods=["POST"])
    routes.add_api_route(f"{PREFIX}/stop", chat.stop, methods=["POST"])
    routes.add_api_route(f"{PREFIX}/stream", chat.follow, methods=["GET"])
    routes.add_api_route(f"{PREFIX}/history", chat.history, methods=["GET"])
    routes.add_api_route(PREFIX + "/messages/{message_id}/feedback", chat.rate, methods=["PUT"])
    routes.add_api_route(f"{PREFIX}/end", chat.end, methods=["POST"])
    routes.add_api_route(f"{PREFIX}/surveys", chat.ending, methods=["POST"])
    routes.add_api_route(PREFIX + "/surveys/{kind}", chat.answer_survey, methods=["PUT"])
    routes.add_api_route(PREFIX + "/{path:path}", _answer_preflight, methods=["OPTIONS"], include_in_schema=False)
    return routes


async def _answer_preflight() -> Response:
    return Response(status_code=204)


async def _chain_events(
    first: ServerSentEvent, rest: AsyncGenerator[ServerSentEvent]
) -> AsyncIterator[ServerSentEvent]:
    async with aclosing(rest):
        yield first
        async for event in rest:
            yield event


def _get_client_address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
