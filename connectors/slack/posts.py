"""Idempotent posting: every message carries its delivery id, so a retry finds a message that was already posted."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from connectors.slack.client import Slack
from core.delivery.payload import Outgoing
from core.errors import Permanent

EVENT = "rejoinder"
LOOKED_BACK = 100


async def post_message(
    slack: Slack, channel: str, text: str, outgoing: Outgoing, *, thread: str | None = None, part: str = "", **more: Any
) -> str:
    """Post a message, or find it if a previous attempt posted it, and return its timestamp, which is its id in Slack.

    Raises:
        DeliveryFailed: as in ``Slack.taken``.
    """
    key = f"{outgoing.id}{part and f':{part}'}"
    if outgoing.attempt > 1 and (known := await _find_posted_message(slack, channel, thread, key)):
        return known
    handoff_id = outgoing.handoff.id if outgoing.handoff else ""
    metadata = {"event_type": EVENT, "event_payload": {"delivery": key, "handoff": handoff_id}}
    call = slack.client.chat_postMessage(
        channel=channel,
        text=text,
        thread_ts=thread,
        metadata=metadata,
        unfurl_links=False,
        unfurl_media=False,
        **more,
    )
    return str((await slack.taken(call))["ts"])


async def _find_posted_message(slack: Slack, channel: str, thread: str | None, key: str) -> str | None:
    if thread is None:
        call = slack.client.conversations_history(channel=channel, limit=LOOKED_BACK, include_all_metadata=True)
    else:
        call = slack.client.conversations_replies(
            channel=channel, ts=thread, limit=LOOKED_BACK, include_all_metadata=True
        )
    for message in (await slack.taken(call)).get("messages", []):
        if message.get("metadata", {}).get("event_payload", {}).get("delivery") == key:
            return str(message["ts"])
    return None


async def handoff_at(slack: Slack, channel: str, thread: str) -> str | None:
    """Return the handoff id in the metadata of a thread's first message, or None if we did not post it."""
    call = slack.client.conversations_replies(channel=channel, ts=thread, limit=1, include_all_metadata=True)
    for message in (await slack.taken(call)).get("messages", [])[:1]:
        data = message.get("metadata", {})
        if message.get("bot_id") and data.get("event_type") == EVENT:
            return str(data.get("event_payload", {}).get("handoff") or "") or None
    return None


async def add_reaction(slack: Slack, channel: str, ts: str, name: str) -> None:
    """Add a reaction to a message; ignore it if it exists already or the message was deleted."""
    call = slack.taken(slack.client.reactions_add(channel=channel, timestamp=ts, name=name))
    await ignore_refusals(call, "already_reacted", "message_not_found")


async def remove_reaction(slack: Slack, channel: str, ts: str, name: str) -> None:
    call = slack.taken(slack.client.reactions_remove(channel=channel, timestamp=ts, name=name))
    await ignore_refusals(call, "no_reaction", "message_not_found")


async def ignore_refusals(call: Awaitable[Any], *harmless: str) -> None:
    """Await a call and ignore the given error codes.

    Raises:
        DeliveryFailed: any other error.
    """
    try:
        await call
    except Permanent as refused:
        if not any(str(refused).endswith(f": {code}") for code in harmless):
            raise
