"""Optional notices to staff outside the outbox; nothing depends on their delivery."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from connectors.slack import posts
from connectors.slack.client import Slack
from connectors.slack.text import escape_markup
from core.errors import DeliveryFailed

log = structlog.get_logger()


class StaffNotices:
    """Sends notices in the background, after Slack has its response."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def react(self, slack: Slack, channel: str, ts: str, name: str) -> None:
        """Add a reaction to a message."""
        self._schedule_notice(posts.add_reaction(slack, channel, ts, name))

    def say(self, slack: Slack, channel: str, thread: str, text: str) -> None:
        """Post a line in the thread."""
        call = slack.client.chat_postMessage(channel=channel, thread_ts=thread, text=f":warning: {escape_markup(text)}")
        self._schedule_notice(slack.taken(call))

    def whisper(self, slack: Slack, channel: str, user: str, text: str, thread: str | None = None) -> None:
        """Post a line that only one member sees."""
        call = slack.client.chat_postEphemeral(channel=channel, user=user, text=escape_markup(text), thread_ts=thread)
        self._schedule_notice(slack.taken(call))

    async def stop(self) -> None:
        """Wait until pending notices are sent."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _schedule_notice(self, call: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(_run_notice(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _run_notice(call: Coroutine[Any, Any, Any]) -> None:
    try:
        await call
    except DeliveryFailed as failure:
        log.warning("Slack desk: a sign to staff was lost", error=str(failure))
