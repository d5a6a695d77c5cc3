"""Rasa's REST channel under the name of the customer's channel, one item an utterance.

Rasa's own one is called "collector" whatever the customer writes on, so that no ``channel:`` of a response ever fits; it cuts
texts at blank lines, and makes text of a carousel.
"""

from __future__ import annotations

from typing import Any, Awaitable, Callable, Dict, Text

from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.channels.rest import RestInput
from sanic import Blueprint

PARTS = ("text", "buttons", "quick_replies", "image", "attachment", "elements", "custom", "metadata")
"""What of an utterance goes out, as the response or action had it."""


class Collector(CollectingOutputChannel):
    """Collects for another one, whose caller gets the answer."""

    def __init__(self, channel: Text, collected: CollectingOutputChannel) -> None:
        super().__init__()
        self.messages = collected.messages
        self._channel, self._collected = channel, collected

    def name(self) -> Text:  # type: ignore[override] # Rasa asks the instance
        """By this the variations of a response are chosen."""
        return self._channel

    async def send_response(self, recipient_id: Text, message: Dict[Text, Any]) -> None:
        """All of an utterance at once."""
        said = {part: message[part] for part in PARTS if message.get(part)}
        await self._persist_message({"recipient_id": recipient_id, "whole": True, **said})

    async def _persist_message(self, message: Dict[Text, Any]) -> None:
        await self._collected._persist_message(message)  # noqa: SLF001 - a list or a queue, as the caller wants it


class RestChannel(RestInput):
    """At the same address as Rasa's own one, with the same request."""

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[None]]) -> Blueprint:
        async def on_named(message: UserMessage) -> None:
            if isinstance(message.output_channel, CollectingOutputChannel):
                message.output_channel = Collector(message.input_channel, message.output_channel)
            await on_new_message(message)

        return super().blueprint(on_named)
