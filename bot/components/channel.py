"""Rasa's REST channel under the name of the customer's channel, with one item per utterance.

Rasa's own channel is always called "collector", so no ``channel:`` of a response ever matches; it also splits texts at blank
lines, and converts carousels to text.
"""

from __future__ import annotations

from typing import Any, Awaitable, Callable, Dict, Text

from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.channels.rest import RestInput
from sanic import Blueprint

PARTS = ("text", "buttons", "quick_replies", "image", "attachment", "elements", "custom", "metadata")
"""Fields of an utterance that are passed on as the response or action set them."""


class Collector(CollectingOutputChannel):
    """Collects utterances for another channel, whose caller receives the answer."""

    def __init__(self, channel: Text, collected: CollectingOutputChannel) -> None:
        super().__init__()
        self.messages = collected.messages
        self._channel, self._collected = channel, collected

    def name(self) -> Text:  # type: ignore[override] # Rasa asks the instance
        """Return the channel's name, by which Rasa selects variations of a response."""
        return self._channel

    async def send_response(self, recipient_id: Text, message: Dict[Text, Any]) -> None:
        """Collect a whole utterance at once."""
        said = {part: message[part] for part in PARTS if message.get(part)}
        await self._persist_message({"recipient_id": recipient_id, "whole": True, **said})

    async def _persist_message(self, message: Dict[Text, Any]) -> None:
        await self._collected._persist_message(message)  # noqa: SLF001 - a list or a queue, as the caller wants it


class RestChannel(RestInput):
    """Replaces Rasa's REST channel, with the same URL and request format."""

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[None]]) -> Blueprint:
        async def on_named(message: UserMessage) -> None:
            if isinstance(message.output_channel, CollectingOutputChannel):
                message.output_channel = Collector(message.input_channel, message.output_channel)
            await on_new_message(message)

        return super().blueprint(on_named)
