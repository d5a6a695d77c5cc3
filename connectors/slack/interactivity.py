"""Button presses of staff (claim, reply, give back, close, correct) and the two modals that they open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import structlog
from sqlalchemy.orm import Session

from connectors.slack import modals
from connectors.slack.client import Slack
from connectors.slack.notices import StaffNotices
from connectors.slack.users import People
from core import messages
from core.db import Database
from core.errors import Conflict, DeliveryFailed, Forbidden, InvalidInput, NotFound
from core.handoffs import settings
from core.handoffs.service import HandoffService, get_handoff
from knowledge.curation.corrections.proposals import propose_correction
from knowledge.curation.corrections.types import Category, Proposal

log = structlog.get_logger()
DESK = "slack-button"
"""Desk name of replies from a button; the thread shows them like replies from another desk."""
Payload = dict[str, Any]


@dataclass(frozen=True)
class SlackPress:
    """A button press or a submitted modal."""

    slack: Slack
    action: str
    value: str
    user: str
    by: str
    event_id: str
    trigger_id: str

    @property
    def tenant(self) -> str:
        """The tenant that the desk belongs to."""
        return self.slack.workspace.tenant


class Interactivity:
    """Handles Slack's *block_actions* and *view_submission*."""

    def __init__(self, database: Database, handoffs: HandoffService, people: People, telling: StaffNotices) -> None:
        self._database, self._handoffs, self._people, self._telling = database, handoffs, people, telling
        self._actions: dict[str, Callable[[SlackPress], Awaitable[object]]] = {
            "claim": lambda p: handoffs.claim(p.tenant, p.value, p.by, p.event_id),
            "give_back": lambda p: handoffs.give_back(p.tenant, p.value, p.by, p.event_id),
            "resolved": lambda p: handoffs.close(p.tenant, p.value, p.by, resolved=True, event_id=p.event_id),
            "not_resolved": lambda p: handoffs.close(p.tenant, p.value, p.by, resolved=False, event_id=p.event_id),
            "suggestion": self._send_suggestion,
            "reply": self._open_reply,
            "correct": self._open_correction,
        }

    async def handle(self, slack: Slack, payload: Payload) -> Payload | None:
        """Handle an interaction; an invalid modal submission returns its errors.

        Raises:
            InvalidInput: the payload is not one of Slack's.
            Forbidden: the user is not a member of the workspace.
        """
        user = payload.get("user")
        if not isinstance(user, dict) or not user.get("id"):
            raise InvalidInput("Nobody is named who pressed it.")
        if user.get("team_id", slack.workspace.team) != slack.workspace.team:
            raise Forbidden("Only members of this workspace can do that.")
        by = await self._people.name(slack, str(user["id"]))
        if payload.get("type") == "view_submission":
            return await self._handle_submission(slack, payload, by)
        if payload.get("type") == "block_actions":
            await self._handle_press(slack, payload, str(user["id"]), by)
        return None

    async def _handle_press(self, slack: Slack, payload: Payload, user: str, by: str) -> None:
        container = payload.get("container") or {}
        channel, thread = str(container.get("channel_id") or ""), container.get("thread_ts")
        for each in payload.get("actions") or []:
            press = SlackPress(
                slack,
                action=str(each.get("action_id")),
                value=str(each.get("value") or ""),
                user=user,
                by=by,
                event_id=f"slack:{user}:{each.get('action_ts')}"[:64],
                trigger_id=str(payload.get("trigger_id") or ""),
            )
            action = self._actions.get(press.action)
            if action is None:
                continue
            try:
                await action(press)
            except (Conflict, NotFound, InvalidInput) as refused:
                self._telling.whisper(slack, channel, user, str(refused), thread)
            except DeliveryFailed as failure:
                log.warning("Slack desk: a dialogue did not open", error=str(failure))
                self._telling.whisper(slack, channel, user, "Slack did not open it. Please press again.", thread)

    async def _send_suggestion(self, press: SlackPress) -> None:
        handoff_id, _, text = press.value.partition(" ")
        await self._send_reply(press.tenant, handoff_id, text, press.by, press.event_id.removeprefix("slack:")[:50])

    async def _open_reply(self, press: SlackPress) -> None:
        await self._handoffs.history(press.tenant, press.value)
        await press.slack.taken(
            press.slack.client.views_open(trigger_id=press.trigger_id, view=modals.build_reply_modal(press.value))
        )

    async def _open_correction(self, press: SlackPress) -> None:
        def list_bot_answers(session: Session) -> list[tuple[str, str]]:
            handoff = get_handoff(session, press.tenant, press.value)
            said = messages.messages_after(session, handoff.conversation_id, 0)
            return [(m.id, m.text) for m in said if m.speaker == "bot" and m.turn_id and m.text]

        listed = await self._database.run(list_bot_answers)
        if not listed:
            raise InvalidInput("The bot has answered nothing in this conversation.")
        await press.slack.taken(
            press.slack.client.views_open(trigger_id=press.trigger_id, view=modals.build_correction_modal(listed))
        )

    async def _handle_submission(self, slack: Slack, payload: Payload, by: str) -> Payload | None:
        view = payload.get("view") or {}
        kind, filled = view.get("callback_id"), modals.collect_field_values(view)
        try:
            if kind == "reply":
                text, handoff_id = filled["text"], str(view.get("private_metadata"))
                await self._send_reply(slack.workspace.tenant, handoff_id, text, by, f"view:{view['id']}"[:50])
            elif kind == "correction":
                proposal = Proposal(
                    answer=filled["text"],
                    category=cast("Category", filled["category"]),  # validated by propose_correction
                    author=by,
                    message_id=filled["message"],
                    reason=filled["reason"],
                )
                await self._database.run(lambda session: propose_correction(session, slack.workspace.tenant, proposal))
        except (Conflict, NotFound, InvalidInput) as refused:
            return {"response_action": "errors", "errors": {"text": str(refused)}}
        except KeyError:
            raise InvalidInput("This dialogue is not ours.") from None
        return None

    async def _send_reply(self, tenant_id: str, handoff_id: str, text: str, by: str, event_id: str) -> None:
        if (await self._database.run(lambda session: settings.get_handoff_settings(session, tenant_id))).alerts_only:
            raise Conflict("Customers are answered in the console.")
        await self._handoffs.reply(tenant_id, handoff_id, text, by, desk=DESK, event_id=event_id)
