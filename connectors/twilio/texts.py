"""Texts that the channels send themselves, taken from the responses of the bot's domain."""

from __future__ import annotations

from dataclasses import dataclass, fields

from core.bot.parts import BotParts


@dataclass(frozen=True)
class ChannelTexts:
    """Each field is the response ``utter_channel_NAME``."""

    rate: tuple[str, str]
    """Titles of the rating buttons: helpful, not helpful."""
    rate_words: str
    """The rating request as a line of text."""
    rated: str
    too_fast: str
    too_long: str
    write: str
    """Sent after a voice note or sticker, since only text is understood."""
    file_refused: str
    opted_out: str
    opted_in: str
    choose: str
    """Introduces choices that come without a text."""
    moved: str
    """First message after a conversation was transferred."""

    @classmethod
    def load(cls, parts: BotParts) -> ChannelTexts:
        responses = parts.responses()
        found = {field.name: responses[f"utter_channel_{field.name}"][0] for field in fields(cls)}
        yes, no = (button["title"] for button in found.pop("rate")["buttons"])
        return cls(rate=(yes, no), **{name: response["text"] for name, response in found.items()})
