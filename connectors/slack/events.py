"""Receive Slack's envelopes over HTTP or Socket Mode, and dispatch each one once to its workspace."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import structlog

from connectors.slack.client import Slack
from connectors.slack.commands import Commands
from connectors.slack.connections import Connections
from connectors.slack.interactivity import Interactivity
from connectors.slack.threads import ThreadMessages
from core.errors import Forbidden, InvalidInput

log = structlog.get_logger()
REMEMBERED = 10_000
Payload = dict[str, Any]


class Receiver:
    """Handles Slack's three kinds of envelopes: events_api, interactive, slash_commands."""

    def __init__(
        self, connections: Connections, messages: ThreadMessages, pressing: Interactivity, commands: Commands
    ) -> None:
        self.connections = connections
        self._messages, self._pressing, self._commands = messages, pressing, commands
        self._done: OrderedDict[str, None] = OrderedDict()

    async def receive(self, kind: str, payload: Payload, allowed: frozenset[str] | None = None) -> Payload | None:
        """Handle an envelope and return the response for Slack, if any.

        Args:
            kind: The kind of the envelope.
            payload: Its content.
            allowed: The teams whose secret signed it; None if it came over Slack's own connection.

        Raises:
            Forbidden: the workspace is not ours, or the signature is another workspace's.
            InvalidInput: the payload is not one of Slack's.
        """
        slack = self._require_slack(payload, allowed)
        event_id = str(payload.get("event_id") or "")
        if event_id and event_id in self._done:
            return None
        answer = await self._dispatch_envelope(kind, slack, payload)
        if event_id:
            self._done[event_id] = None
            if len(self._done) > REMEMBERED:
                self._done.popitem(last=False)
        return answer

    async def _dispatch_envelope(self, kind: str, slack: Slack, payload: Payload) -> Payload | None:
        if kind == "interactive":
            return await self._pressing.handle(slack, payload)
        if kind == "slash_commands":
            return await self._commands.handle(slack, payload)
        if kind == "events_api" and isinstance(event := payload.get("event"), dict):
            if event.get("type") == "message":
                await self._messages.handle(slack, event)
            elif event.get("type") in {"app_uninstalled", "tokens_revoked"}:
                log.error("Slack desk: the app was removed, or its token revoked", team=slack.workspace.team)
            return None
        raise InvalidInput("This is nothing that Slack sends.")

    def _require_slack(self, payload: Payload, allowed: frozenset[str] | None) -> Slack:
        team = (
            payload.get("team_id")
            or _get_payload_field(payload, "team")
            or _get_payload_field(payload, "user", "team_id")
        )
        slack = self.connections.of_team(str(team))
        if slack is None or (allowed is not None and slack.workspace.team not in allowed):
            log.error("Slack desk: a workspace that is not set up, or not with this secret", team=str(team)[:32])
            raise Forbidden("This workspace is not set up here.")
        return slack


def _get_payload_field(payload: Payload, name: str, inner: str = "id") -> object:
    part = payload.get(name)
    return part.get(inner) if isinstance(part, dict) else None
