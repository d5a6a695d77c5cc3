"""Staff messages in a handoff's thread: replies to the customer or internal notes."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from weakref import WeakValueDictionary

import structlog

from connectors.slack import posts
from connectors.slack.client import Slack
from connectors.slack.desk import NAME
from connectors.slack.files import Files
from connectors.slack.notices import StaffNotices
from connectors.slack.text import to_plain_text
from connectors.slack.users import People
from core.db import Database
from core.errors import Conflict, DeliveryFailed, InvalidInput
from core.handoffs import settings
from core.handoffs.messages import said_before
from core.handoffs.service import HandoffService
from core.handoffs.settings import Handoffs
from core.handoffs.staff.views import Thread, handoff_of

log = structlog.get_logger()
MARKS = ("/reply", "!reply")
SPOKEN = (None, "file_share", "thread_broadcast")
JUST_OPENED_SECONDS = 120.0
Event = dict[str, Any]


class ThreadMessages:
    """Handles Slack's *message* events in channels with handoff threads."""

    def __init__(
        self, database: Database, handoffs: HandoffService, people: People, files: Files, telling: StaffNotices
    ) -> None:
        self._database, self._handoffs, self._people = database, handoffs, people
        self._files, self._telling = files, telling
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def handle(self, slack: Slack, event: Event) -> None:
        """Handle a new, edited or deleted message; messages outside of handoff threads are ignored."""
        subtype, channel = event.get("subtype"), str(event.get("channel") or "")
        changed = event.get("message" if subtype == "message_changed" else "previous_message")
        if subtype in {"message_changed", "message_deleted"} and isinstance(changed, dict):
            return await self._handle_message_change(slack, channel, event, changed)
        thread = str(event.get("thread_ts") or "")
        if event.get("bot_id") or subtype not in SPOKEN or not thread or not event.get("user"):
            return None
        lock = self._locks.setdefault(f"{slack.workspace.team}:{channel}:{thread}", asyncio.Lock())
        async with lock:  # keeps the messages in order
            if handoff_id := await self._find_handoff_id(slack, channel, thread):
                await self._handle_staff_message(slack, handoff_id, channel, thread, event)
        return None

    async def _handle_staff_message(
        self, slack: Slack, handoff_id: str, channel: str, thread: str, event: Event
    ) -> None:
        tenant_id, ts, user = slack.workspace.tenant, str(event.get("ts")), str(event["user"])
        if (event.get("user_team") or event.get("team") or slack.workspace.team) != slack.workspace.team:
            return self._refuse_message(
                slack, channel, thread, ts, "Only members of this workspace can answer customers."
            )
        chosen = await self._database.run(lambda session: settings.get_handoff_settings(session, tenant_id))
        text = to_customer(to_plain_text(str(event.get("text") or "")), chosen)
        by = await self._people.name(slack, user)
        if text is None:
            if remark := to_plain_text(str(event.get("text") or "")):
                await self._handoffs.note(tenant_id, handoff_id, remark, by)
            return None
        try:
            attachments = await self._files.fetched(slack, handoff_id, event.get("files") or [])
            await self._handoffs.reply(
                tenant_id,
                handoff_id,
                text,
                by,
                desk=NAME,
                event_id=f"{channel}:{ts}",
                attachments=attachments,
            )
        except (InvalidInput, Conflict) as error:
            return self._refuse_message(slack, channel, thread, ts, str(error))
        self._telling.react(slack, channel, ts, "eyes")
        return None

    async def _handle_message_change(self, slack: Slack, channel: str, event: Event, message: Event) -> None:
        """Warn staff that an edit or deletion does not reach the customer, since no channel can recall messages."""
        before = event.get("previous_message")
        old = before.get("text") if isinstance(before, dict) else None
        ts, deleted = str(message.get("ts")), event.get("subtype") == "message_deleted"
        if message.get("bot_id") or (not deleted and message.get("text") == old):
            return
        key = f"{channel}:{ts}"
        if await self._database.run(lambda session: said_before(session, slack.workspace.tenant, NAME, key)):
            what = "Deleting it" if deleted else "Editing it"
            text = f"{what} does not reach the customer, who has the message as it was sent. Write a new one to correct it."
            self._telling.say(slack, channel, str(message.get("thread_ts") or ts), text)

    async def _find_handoff_id(self, slack: Slack, channel: str, thread: str) -> str | None:
        tenant_id, place = slack.workspace.tenant, Thread(slack.workspace.team, channel, thread)
        found = await self._database.run(lambda session: handoff_of(session, tenant_id, NAME, place))
        if (
            found is None and _compute_timestamp_age(thread) < JUST_OPENED_SECONDS
        ):  # we may have posted the thread and not stored it yet
            try:
                return await posts.handoff_at(slack, channel, thread)
            except DeliveryFailed as failure:
                log.warning("Slack desk: whose thread it is was not found out", channel=channel, error=str(failure))
        return found.id if found else None

    def _refuse_message(self, slack: Slack, channel: str, thread: str, ts: str, why: str) -> None:
        self._telling.react(slack, channel, ts, "warning")
        self._telling.say(slack, channel, thread, f"This did not go to the customer: {why}")


def to_customer(text: str, chosen: Handoffs) -> str | None:
    """Return the text for the customer, or None if the message is an internal note."""
    if chosen.alerts_only:
        return None
    for mark in MARKS:
        if text.lower().startswith(mark) and text[len(mark) : len(mark) + 1] in {"", " ", "\n", ":"}:
            return text[len(mark) :].lstrip(": \n")
    return text if chosen.reply_mode == "all" else None


def _compute_timestamp_age(ts: str) -> float:
    """Return the seconds since the timestamp."""
    try:
        return time.time() - float(ts)
    except ValueError:
        return float("inf")
