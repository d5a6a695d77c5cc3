"""The webhook that Rasa calls to run an action: https://rasa.com/docs/rasa/pages/action-server-api."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterator
from typing import Annotated, Any

import orjson
import structlog
from fastapi import APIRouter, Header, HTTPException, Request, Response
from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.forms import REQUESTED_SLOT
from rasa_sdk.interfaces import ActionExecutionRejection

from actions.servers import ActionServers
from core.errors import ActionFailed
from core.events import Chunk, Citable, DraftEvent, Estimate, Event, Hub
from core.rasa.answer import FAILED, extract_understanding
from core.rasa.rich_content import NOTE

log = structlog.get_logger()

CHECKS = ("validate_", "action_validate_")
"""Prefixes of actions that only validate values."""


def router(executor: ActionExecutor, hub: Hub, secret: str, servers: ActionServers) -> APIRouter:
    """Create ``POST /webhook``, protected by the secret: runs actions of the executor, and all others on ``servers``."""
    routes = APIRouter()

    @routes.post("/webhook", include_in_schema=False)
    async def run_action(request: Request, authorization: Annotated[str, Header()] = "") -> Response:
        if not hmac.compare_digest(authorization.encode(), f"Bearer {secret}".encode()):
            raise HTTPException(401, "Wrong or missing secret.")
        # the body has every event of the conversation, so parsing speed matters
        call = orjson.loads(await request.body())
        with structlog.contextvars.bound_contextvars(**_extract_call_ids(call)):
            status, answer = await _answer_call(executor, hub, servers, call)
        return Response(orjson.dumps(answer), status, media_type="application/json")

    return routes


async def _answer_call(
    executor: ActionExecutor, hub: Hub, servers: ActionServers, call: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    """Return status and body as rasa-sdk does; a failed action sends the customer one sentence."""
    name = str(call.get("next_action"))
    try:
        if name in executor.actions:
            return 200, await _execute_action(executor, hub, call)
        return 200, await servers.run(call, turn=_extract_call_ids(call)["turn_id"])
    except ActionExecutionRejection as rejection:
        return 400, {"action_name": rejection.action_name, "error": rejection.message}
    except ActionFailed as error:
        log.info("action failed", action=name, cause=str(error))
        return 200, _build_failure(call, str(error))
    except Exception as error:  # a process edge: the customer still gets a sentence
        log.exception("action failed", action=name)
        return 200, _build_failure(call, f"the action {name} failed: {error!r}")


def _build_failure(call: dict[str, Any], cause: str) -> dict[str, Any]:
    note = {"outcome": FAILED, "error": cause}
    said = {"response": "utter_failed", "custom": {NOTE: note}}
    return {"events": _taken_back(call), "responses": [said]}


def _taken_back(call: dict[str, Any]) -> list[dict[str, Any]]:
    """Undo values that could not be validated; the requested slot is cleared, so that the form asks again."""
    if not str(call.get("next_action")).startswith(CHECKS):
        return []
    state = call.get("tracker") or {}
    events = state.get("events") or []
    said = max((at for at, event in enumerate(events) if event.get("event") == "user"), default=0)
    before = {event["name"]: event.get("value") for event in events[:said] if event.get("event") == "slot"}
    before |= {(state.get("slots") or {}).get(REQUESTED_SLOT): None}
    taken = Tracker.from_dict({"sender_id": "", **state}).slots_to_validate()
    return [SlotSet(name, before.get(name)) for name in taken if name != REQUESTED_SLOT]


def _extract_call_ids(call: dict[str, Any]) -> dict[str, str]:
    metadata = _get_latest_message(call).get("metadata") or {}
    return {"conversation_id": call.get("sender_id", ""), "turn_id": metadata.get("turn_id", "")}


def _get_latest_message(call: dict[str, Any]) -> dict[str, Any]:
    latest: dict[str, Any] = call.get("tracker", {}).get("latest_message") or {}
    return latest


async def _execute_action(executor: ActionExecutor, hub: Hub, call: dict[str, Any]) -> dict[str, Any]:
    names = _extract_call_ids(call)
    sink = _ChunkSink(hub, names["conversation_id"], names["turn_id"])
    watched = hub.watched(names["conversation_id"])
    # Rasa omits the domain if an action does not need it, but rasa-sdk requires one
    result = await executor.run({"domain": {}, **call}, sink=sink if watched else None)
    if result is None:
        return {"events": [], "responses": []}
    understood = extract_understanding(_get_latest_message(call))
    for response in result.responses:
        if note := response.get("custom", {}).get("rejoinder"):
            note["understanding"] = understood
    answer: dict[str, Any] = result.model_dump()
    return answer


class _ChunkSink(asyncio.Queue[dict[str, Any]]):
    """Passes an action's chunks directly to those who watch the conversation."""

    def __init__(self, hub: Hub, conversation_id: str, turn_id: str) -> None:
        super().__init__()
        self._hub, self._conversation_id, self._turn_id = hub, conversation_id, turn_id

    async def put(self, item: dict[str, Any]) -> None:
        for event in _to_stream_events(self._turn_id, item) if item["event"] == "stream_chunk" else ():
            self._hub.publish(self._conversation_id, event)


def _to_stream_events(turn_id: str, item: dict[str, Any]) -> Iterator[Event]:
    """Convert streamed chunks of an action to events for watchers."""
    custom = item.get("custom", {})
    if "estimate" in custom:
        yield Estimate(turn_id, custom["estimate"])
    if "sources" in custom:
        yield Citable(turn_id, tuple(custom["sources"]))
    if "draft" in custom:
        yield DraftEvent(turn_id, custom["draft"])
    if item.get("text"):
        yield Chunk(turn_id, item["text"])
