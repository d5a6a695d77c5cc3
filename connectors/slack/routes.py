"""``/slack/events``, ``/slack/interactivity`` and ``/slack/commands``; Slack signs requests and waits three seconds."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from connectors.base import RawRequest
from connectors.http.errors import build_error_response
from connectors.http.limits import read_body
from connectors.slack.events import Payload, Receiver
from connectors.slack.signatures import signed_by
from core.errors import InvalidInput, RejoinderError

log = structlog.get_logger()
LARGEST = 1_000_000


def router(receiver: Receiver) -> APIRouter:
    routes = APIRouter(prefix="/slack", tags=["slack"], include_in_schema=False)

    @routes.post("/events")
    async def receive_events(request: Request) -> Response:
        return await _answer_request(receiver, "events_api", request)

    @routes.post("/interactivity")
    async def receive_interactions(request: Request) -> Response:
        return await _answer_request(receiver, "interactive", request)

    @routes.post("/commands")
    async def receive_commands(request: Request) -> Response:
        return await _answer_request(receiver, "slash_commands", request)

    return routes


async def _answer_request(receiver: Receiver, kind: str, request: Request) -> Response:
    try:
        body = await read_body(request, LARGEST)
        teams = signed_by(receiver.connections.workspaces, RawRequest(dict(request.headers), body))
        payload = _parse_payload(kind, body)
        if payload.get("type") == "url_verification":
            return JSONResponse({"challenge": payload.get("challenge")})
        answer = await receiver.receive(kind, payload, teams)
    except RejoinderError as error:
        return build_error_response(error)
    except Exception:
        log.exception("what Slack sent was not handled", kind=kind)
        return JSONResponse({"error": "internal"}, 500)
    return JSONResponse(answer) if answer else Response(status_code=200)


def _parse_payload(kind: str, body: bytes) -> Payload:
    try:
        if kind == "slash_commands":
            return dict(parse_qsl(body.decode()))
        text = body.decode()
        if kind == "interactive":
            text = dict(parse_qsl(text))["payload"]
        payload: Any = json.loads(text)
    except (ValueError, KeyError):
        raise InvalidInput("The body is not what Slack sends.") from None
    if not isinstance(payload, dict):
        raise InvalidInput("The body is not what Slack sends.")
    return payload
