"""What somebody sees of an answer while it is being written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from knowledge.types import Source

GAP = "\n\n"
"""Between the parts of an answer."""


class Viewer(Protocol):
    """Somebody who watches an answer being written."""

    stop: asyncio.Event
    """Set when it shall be written no further."""

    async def estimate(self, seconds: float | None) -> None:
        """A model is asked, and usually takes so long; None where that is not known."""

    async def cite(self, sources: Sequence[Source]) -> None:
        """All sources that the text may name so far, in their order."""

    async def append(self, text: str) -> None: ...

    async def replace(self, text: str) -> None:
        """All of the text, anew."""


class Nobody:
    def __init__(self) -> None:
        self.stop = asyncio.Event()

    async def estimate(self, seconds: float | None) -> None: ...

    async def cite(self, sources: Sequence[Source]) -> None: ...

    async def append(self, text: str) -> None: ...

    async def replace(self, text: str) -> None: ...


class Draft:
    """The parts that are settled, and the one being written."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._settled = ""
        self.part = ""
        """What is shown of the part being written."""

    async def append(self, text: str) -> None:
        """Show more of this part."""
        if text:
            gap = GAP if self._settled and not self.part else ""
            self.part += text
            await self._viewer.append(gap + text)

    async def restart(self) -> None:
        """This part begins anew."""
        if self.part:
            self.part = ""
            await self._viewer.replace(self._settled)

    async def settle(self, text: str) -> None:
        """This is how the part reads in the end; empty: there is none."""
        if not text.startswith(self.part):
            self.part = text
            await self._viewer.replace(self._join_settled(text))
        elif len(text) > len(self.part):
            await self.append(text[len(self.part) :])
        self._settled, self.part = self._join_settled(text), ""

    def _join_settled(self, text: str) -> str:
        return GAP.join(filter(None, (self._settled, text)))
