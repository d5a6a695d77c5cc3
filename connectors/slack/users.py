"""Who of the staff it is that Slack names by an id."""

from __future__ import annotations

import asyncio

from connectors.slack.client import Slack
from core.errors import DeliveryFailed

SECONDS = 1.5
"""Slack waits three for our answer."""


class People:
    """Names by workspace and id, asked for once."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}

    async def name(self, slack: Slack, user: str) -> str:
        """As the profile says; the id while Slack does not tell."""
        key = (slack.workspace.team, user)
        if key not in self._names:
            try:
                async with asyncio.timeout(SECONDS):
                    found = (await slack.taken(slack.client.users_info(user=user)))["user"]
            except (DeliveryFailed, TimeoutError, KeyError):
                return user
            profile = found.get("profile", {})
            names = (profile.get("display_name"), profile.get("real_name"), found.get("name"), user)
            self._names[key] = next(name for name in names if name)[:200]
        return self._names[key]
