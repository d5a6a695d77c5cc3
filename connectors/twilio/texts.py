"""What these channels say themselves: responses of the bot's domain."""

from __future__ import annotations

from dataclasses import dataclass, fields

from core.bot.parts import BotParts


@dataclass(frozen=True)
class ChannelTexts:
    """Each is the response ``utter_channel_NAME``."""

    rate: tuple[str, str]
    """Titles of the buttons under an answer: it helped, it did not."""
    rate_words: str
    """The same as a line of text."""
    rated: str
    too_fast: str
    too_long: str
    write: str
    """A voice note or sticker came; only text is understood."""
    file_refused: str
    opted_out: str
    opted_in: str
    choose: str
    """Above choices that come without a text."""
    moved: str
    """First message where a conversation goes on."""

    @classmethod
    def load(cls, parts: BotParts) -> ChannelTexts:
        responses = parts.responses()
        found = {field.name: responses[f"utter_channel_{field.name}"][0] for field in fields(cls)}
        yes, no = (button["title"] for button in found.pop("rate")["buttons"])
        return cls(rate=(yes, no), **{name: response["text"] for name, response in found.items()})
