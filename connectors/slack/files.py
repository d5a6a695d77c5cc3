"""Files that staff attach in a thread: fetched from Slack and kept below the home folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.slack.calls import Slack
from core.errors import InvalidInput


class Files:
    """Keeps files."""

    def __init__(self, home: Path) -> None:
        self._home = home

    async def fetched(self, slack: Slack, files: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """As ``core.turns.attachments`` says.

        Raises:
            InvalidInput: a file cannot be sent on.
        """
        del slack
        if files:
            raise InvalidInput("Files cannot be sent to customers from here yet: send a link.")
        return []
