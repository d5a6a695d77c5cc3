"""Show handoffs in Slack: one thread each, with the customer's messages and state changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.slack import blocks, posts
from connectors.slack.client import Slack
from connectors.slack.connections import Connections
from connectors.slack.files import Files
from connectors.slack.text import escape_markup, truncate_text
from core import messages
from core.db import Database
from core.db.models import Delivery
from core.delivery.desk import keep_thread
from core.delivery.payload import Outgoing
from core.errors import Permanent, Retry
from core.handoffs import settings
from core.handoffs.settings import Handoffs
from core.handoffs.staff.views import HandoffView, Thread
from knowledge.answers.suggestions import Suggest, SuggestedReply

NAME = "slack"


@dataclass(frozen=True)
class SlackDesk:
    """A ``core.delivery.desk.Desk``; every method raises the errors of ``Slack.taken``."""

    database: Database
    connections: Connections
    link: Callable[[str], str]
    """Returns the console link of a conversation."""
    suggest: Suggest
    files: Files

    async def alert(self, outgoing: Outgoing) -> Thread:
        """Open the thread with the transcript and suggested replies, or post a reminder in the existing thread."""
        slack, handoff = self._require_slack(outgoing), _require_handoff(outgoing)
        if thread := outgoing.thread:
            await self._refresh_opening(slack, thread, handoff)
            text = blocks.format_reminder(handoff, outgoing.event)
            await posts.post_message(slack, thread.channel, text, outgoing, thread=thread.thread, reply_broadcast=True)
            return thread
        chosen = await self._get_handoff_settings(outgoing)
        channel, shown = (
            slack.workspace.channel,
            blocks.build_opening_blocks(handoff, chosen, self.link(handoff.conversation_id)),
        )
        root = await posts.post_message(
            slack, channel, escape_markup(blocks.format_headline(handoff)), outgoing, blocks=shown
        )
        thread = Thread(slack.workspace.team, channel, root)
        await self.database.run(lambda session: keep_thread(session, handoff.id, NAME, thread))
        await self._tell_more(slack, thread, outgoing, handoff, alerts_only=chosen.alerts_only)
        return thread

    async def forward(self, outgoing: Outgoing) -> str:
        """Post a message of the customer, or of an agent at another desk."""
        slack, thread, handoff = self._require_slack(outgoing), _require_thread(outgoing), _require_handoff(outgoing)
        message = outgoing.message
        if message is None:
            raise Permanent("there is no message to forward")
        who = message.author if message.speaker == "agent" else handoff.customer_name
        name = f"{who or 'Staff'} → customer" if message.speaker == "agent" else who or "Customer"
        text = truncate_text(escape_markup(f"{name}: {outgoing.text}"), blocks.SECTION)
        shown = blocks.build_message_blocks(message, name)
        ts = await posts.post_message(slack, thread.channel, text, outgoing, thread=thread.thread, blocks=shown)
        await self.files.upload(slack, thread.channel, thread.thread, message.id)
        return ts

    async def update(self, outgoing: Outgoing) -> str | None:
        """Post a state change of the handoff, or show the delivery status of a reply."""
        slack, thread, handoff = self._require_slack(outgoing), _require_thread(outgoing), _require_handoff(outgoing)
        if outgoing.event == "arrived":
            return await self._replace_reaction(slack, thread, outgoing, "white_check_mark")
        if outgoing.event == "undelivered":
            return await self._report_undelivered(slack, thread, outgoing)
        await self._refresh_opening(slack, thread, handoff)
        if line := blocks.format_state_change(handoff, outgoing.event):
            return await posts.post_message(slack, thread.channel, line, outgoing, thread=thread.thread)
        return None

    async def _tell_more(
        self, slack: Slack, thread: Thread, outgoing: Outgoing, handoff: HandoffView, *, alerts_only: bool
    ) -> None:
        found = [] if alerts_only else await self._get_suggestions(handoff)

        def read_transcript(session: Session) -> list[Any]:
            before = messages.messages_after(session, handoff.conversation_id, 0)
            return [message for message in before if message.seq <= handoff.from_seq]

        said = await self.database.run(read_transcript)
        shown = [*blocks.build_transcript_blocks(said), *blocks.build_suggestion_blocks(handoff, found)]
        await posts.post_message(
            slack, thread.channel, "What was said so far", outgoing, thread=thread.thread, blocks=shown, part="more"
        )
        for message in said[-blocks.TRANSCRIPT :]:
            if message.attachments and message.speaker == "customer":
                await self.files.upload(slack, thread.channel, thread.thread, message.id)

    async def _get_suggestions(self, handoff: HandoffView) -> list[SuggestedReply]:
        """Run off the database thread, which all other requests share."""
        return await asyncio.to_thread(self.suggest, handoff.tenant_id, handoff.conversation_id)

    async def _refresh_opening(self, slack: Slack, thread: Thread, handoff: HandoffView) -> None:
        """Update the state in the first message; ignore the error if that message was deleted."""
        chosen = await self.database.run(lambda session: settings.get_handoff_settings(session, handoff.tenant_id))
        shown = blocks.build_opening_blocks(handoff, chosen, self.link(handoff.conversation_id))
        text = escape_markup(blocks.format_headline(handoff))
        call = slack.client.chat_update(channel=thread.channel, ts=thread.thread, text=text, blocks=shown)
        await posts.ignore_refusals(slack.taken(call), "message_not_found", "cant_update_message", "edit_window_closed")

    async def _replace_reaction(self, slack: Slack, thread: Thread, outgoing: Outgoing, reaction: str) -> str | None:
        """Replace the reaction on the agent's message in Slack, whose id is the reply's client id."""
        channel, _, ts = ((outgoing.message and outgoing.message.client_id) or "").partition(":")
        if channel != thread.channel or not ts:
            return None
        await posts.add_reaction(slack, channel, ts, reaction)
        await posts.remove_reaction(slack, channel, ts, "eyes")
        return ts

    async def _report_undelivered(self, slack: Slack, thread: Thread, outgoing: Outgoing) -> str:
        message = outgoing.message
        why = await self.database.run(lambda session: _find_failure_reason(session, message.id if message else None))
        await self._replace_reaction(slack, thread, outgoing, "warning")
        quoted = f" “{escape_markup(truncate_text(message.text, 80))}”" if message else ""
        text = f":warning: This did not reach the customer:{quoted} {escape_markup(truncate_text(why, 500))}"
        return await posts.post_message(slack, thread.channel, text, outgoing, thread=thread.thread)

    async def _get_handoff_settings(self, outgoing: Outgoing) -> Handoffs:
        return await self.database.run(lambda session: settings.get_handoff_settings(session, outgoing.tenant_id))

    def _require_slack(self, outgoing: Outgoing) -> Slack:
        slack = self.connections.of_tenant(outgoing.tenant_id)
        if slack is None:
            raise Retry(f"tenant {outgoing.tenant_id} has no Slack workspace in this installation", after=60)
        return slack


def _find_failure_reason(session: Session, message_id: str | None) -> str:
    lost = select(Delivery.error).where(Delivery.message_id == message_id, Delivery.state.in_(["failed", "dead"]))
    return cast("str | None", session.scalar(lost.order_by(Delivery.id.desc()))) or ""


def _require_handoff(outgoing: Outgoing) -> HandoffView:
    if outgoing.handoff is None:
        raise Permanent("it is about no handoff")
    return outgoing.handoff


def _require_thread(outgoing: Outgoing) -> Thread:
    if outgoing.thread is None:
        raise Permanent("no thread was ever opened for it")
    return outgoing.thread
