"""Look up the names of Slack users by id."""

from __future__ import annotations

import asyncio

from connectors.slack.client import Slack
from core.errors import DeliveryFailed

SECONDS = 1.5
"""Slack waits three seconds for our response."""


class People:
    """Caches user names by workspace and id."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}

    async def name(self, slack: Slack, user: str) -> str:
        """Return the user's profile name, or the id if Slack does not respond."""
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
