"""The draft of an answer, shown while it is being written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from knowledge.types import Source

GAP = "\n\n"
"""Separates the parts of an answer."""


class Viewer(Protocol):
    """Receives an answer while it is being written."""

    stop: asyncio.Event
    """Set to stop the writing."""

    async def estimate(self, seconds: float | None) -> None:
        """Announce a model call and its usual duration; None if unknown."""

    async def cite(self, sources: Sequence[Source]) -> None:
        """Send all sources the text may cite so far, in order."""

    async def append(self, text: str) -> None: ...

    async def replace(self, text: str) -> None:
        """Replace the whole text."""


class Nobody:
    def __init__(self) -> None:
        self.stop = asyncio.Event()

    async def estimate(self, seconds: float | None) -> None: ...

    async def cite(self, sources: Sequence[Source]) -> None: ...

    async def append(self, text: str) -> None: ...

    async def replace(self, text: str) -> None: ...


class Draft:
    """The settled parts and the part being written."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._settled = ""
        self.part = ""
        """The shown text of the part being written."""

    async def append(self, text: str) -> None:
        """Show more of the current part."""
        if text:
            gap = GAP if self._settled and not self.part else ""
            self.part += text
            await self._viewer.append(gap + text)

    async def restart(self) -> None:
        """Discard the current part and start it again."""
        if self.part:
            self.part = ""
            await self._viewer.replace(self._settled)

    async def settle(self, text: str) -> None:
        """Set the final text of the current part; empty if it has none."""
        if not text.startswith(self.part):
            self.part = text
            await self._viewer.replace(self._join_settled(text))
        elif len(text) > len(self.part):
            await self.append(text[len(self.part) :])
        self._settled, self.part = self._join_settled(text), ""

    def _join_settled(self, text: str) -> str:
        return GAP.join(filter(None, (self._settled, text)))
