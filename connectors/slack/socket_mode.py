"""Socket Mode: receive the same envelopes over an outgoing WebSocket if Slack cannot reach this server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from connectors.slack.client import Slack, to_delivery_error
from connectors.slack.events import Receiver
from core.errors import RejoinderError

log = structlog.get_logger()


class SocketMode:
    """One connection per workspace with an app token; the SDK reconnects by itself."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._clients: list[SocketModeClient] = []
        self._connecting: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect in the background, with retries."""
        for slack in self._receiver.connections.all.values():
            if token := slack.workspace.app_token.get_secret_value():
                client = SocketModeClient(token, web_client=slack.client)
                client.socket_mode_request_listeners.append(self._build_listener(slack))
                self._clients.append(client)
                self._connecting.append(asyncio.create_task(_connect_socket(client, slack)))

    async def stop(self) -> None:
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for client in self._clients:
            await client.close()  # type: ignore[no-untyped-call]

    def _build_listener(self, slack: Slack) -> Callable[[AsyncBaseSocketModeClient, SocketModeRequest], Any]:
        allowed = frozenset({slack.workspace.team})

        async def answer_envelope(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
            try:
                answer = await self._receiver.receive(request.type, request.payload, allowed)
            except RejoinderError as refused:
                log.warning("Slack desk: an envelope was refused", kind=request.type, error=str(refused))
                answer = None
            await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, answer))

        return answer_envelope


async def _connect_socket(client: SocketModeClient, slack: Slack) -> None:
    try:
        await client.connect()  # type: ignore[no-untyped-call]
    except SlackApiError as error:
        log.error("Slack desk: no Socket Mode", team=slack.workspace.team, error=str(to_delivery_error(error)))  # noqa: TRY400
