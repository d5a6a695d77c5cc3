"""Takes what a channel parsed: a text that means an offered choice becomes a press on it."""

from __future__ import annotations

from dataclasses import replace

from connectors.base.choices import choice_of
from core.conversations.inbox import Inbound, Press, Received
from core.conversations.turns import Turns


async def receive_inbound(turns: Turns, inbound: Inbound) -> Received:
    """Store it, and have it answered; see ``Turns.receive``."""
    return await turns.receive(await _resolve_press(turns, inbound))


async def _resolve_press(turns: Turns, inbound: Inbound) -> Inbound:
    """The newest message that offered choices comes first, or the one that is quoted; a bare number means only that.

    Once something else was said after it, an older choice has to be named in its own words.
    """
    if not inbound.text or inbound.press or inbound.attachments:
        return inbound
    for place, offered in enumerate(await turns.offered(inbound)):
        bare = inbound.text.strip().strip(".)#").isdigit()
        if bare and (place > 0 or not offered.newest):
            break
        index = choice_of(inbound.text, offered.buttons)
        exact = index is not None and offered.buttons[index].casefold() == inbound.text.strip().casefold()
        if index is not None and (exact or offered.newest):
            return replace(inbound, text=None, press=Press(offered.message_id, index))
    return inbound
