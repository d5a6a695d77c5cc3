"""Receive messages from channels; a text that names an offered choice becomes a button press."""

from __future__ import annotations

from dataclasses import replace

from connectors.base.choices import choice_of
from core.conversations.inbox import Inbound, Press, Received
from core.conversations.turns import Turns


async def receive_inbound(turns: Turns, inbound: Inbound) -> Received:
    """Store a message and have it answered; see ``Turns.receive``."""
    return await turns.receive(await _resolve_press(turns, inbound))


async def _resolve_press(turns: Turns, inbound: Inbound) -> Inbound:
    """Turn a text that names an offered choice into a press.

    The quoted message is checked first, or else the newest one that offered choices. A bare number refers only to that
    message. An older choice must be given by its exact title once something else has been said.
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
