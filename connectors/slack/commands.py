"""The slash command that lists open handoffs. Slack has no slash commands in threads, so replies use `!reply`."""

from __future__ import annotations

from typing import Any

from connectors.slack import blocks
from connectors.slack.client import Slack
from connectors.slack.text import escape_markup
from core.handoffs.service import HandoffService
from core.handoffs.staff.queries import HandoffFilter

SHOWN = 20


class Commands:
    """Handles `/handoffs`; only the user who sent it sees the response."""

    def __init__(self, handoffs: HandoffService) -> None:
        self._handoffs = handoffs

    async def handle(self, slack: Slack, _: dict[str, Any]) -> dict[str, Any]:
        """Return the open handoffs, urgent ones first."""
        total, found = await self._handoffs.listed(slack.workspace.tenant, HandoffFilter("open"), SHOWN)
        lines = [
            f"• *{escape_markup(blocks.format_headline(each))}*: {each.state.replace('_', ' ')}, {escape_markup(each.reason)}"
            for each in found
        ]
        text = "\n".join([f"{total} open", *lines]) if found else "Nobody waits for a person."
        return {"response_type": "ephemeral", "text": text}
