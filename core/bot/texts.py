"""Texts that `app` sends itself, taken from the bot's domain so that all texts are in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.bot.languages import Recogniser
from core.bot.parts import OTHER_LANGUAGE, BotParts
from core.db.models import Message

OWN = ""
"""Key of the bot's own language among the others."""
LATEST = 20
"""Number of customer messages used for language detection."""
_PLAIN = ("failed", "waiting", "late", "page_only", "unknown_part", "suggested", "disputed", "not_meant")
_RECEIVED = ("received_image", "received_file", "received_location")
_HANDOFF = ("handoff", "handoff_nobody", "handoff_timed_out", "handoff_contact", "handoff_returned")


@dataclass(frozen=True)
class Texts:
    """Texts for failures, unanswered parts and other replies that do not come from Rasa."""

    failed: str
    """The message could not be answered."""
    waiting: str
    """The message is stored and will be answered later."""
    late: str = ""
    """Precedes an answer to a message that reached us long after it was written."""
    page_only: str = "I have something to show you that works only on our website."
    """Sent when an answer consists only of content for the web page and the customer is on another channel."""
    unknown_part: str = "{part}?"
    """Sent for an unanswered part of a question; ``{part}`` stands for it."""
    suggested: str = "From “{title}”:\n\n{text}"
    """A likely answer ``{text}`` under the title ``{title}`` of what it answers."""
    disputed: str = "On “{title}” there is more than one answer, so please have a person check:\n\n{text}"
    """Contradicting answers, ``{text}``."""
    other_language: Mapping[str, str] = field(default_factory=dict)
    """By language: says that questions in it are only answered in ``{languages}``."""
    not_meant: str = "Not what you meant?"
    """Precedes the buttons for other possible meanings."""
    person: str = "Talk to a person"
    """Title of the button that asks for a person."""
    received_image: str = "Thank you, I have your photo. What is it about?"
    """Reply to a photo without text."""
    received_file: str = "Thank you, I have your file. What is it about?"
    received_location: str = "Thank you, I have the place. What is it about?"
    handoff: str = "A person will answer you here."
    """Announces the handoff."""
    handoff_nobody: str = "Nobody is here right now. Leave an e-mail address or a number, and we get back to you."
    handoff_timed_out: str = "Everybody is busy. Leave an e-mail address or a number, and we get back to you."
    handoff_contact: str = "Thank you, we get back to you there."
    handoff_returned: str = "I'm the assistant again: what else can I do for you?"
    empathy: tuple[str, ...] = ()
    """Variants of a sentence that precedes an answer to an upset customer."""
    recogniser: Recogniser = field(default_factory=Recogniser)
    translated: Mapping[str, Texts] = field(default_factory=dict)
    """The same texts in the bot's other languages."""

    def language(self, session: Session, conversation_id: str) -> str:
        """Return the language of the customer's latest messages; short or unclear ones do not change it."""
        written = select(Message.text).filter_by(conversation_id=conversation_id, speaker="customer", payload=None)
        return self.recogniser.language_of(list(session.scalars(written.order_by(Message.seq.desc()).limit(LATEST))))

    def of(self, session: Session, conversation_id: str) -> Texts:
        """Return the texts in the conversation's language."""
        return self.said_in(self.language(session, conversation_id)) if self.translated else self

    def said_in(self, language: str) -> Texts:
        """Return the texts in one language, or in the bot's own if it does not speak that one."""
        found = self.translated.get(language, self)
        return (
            found
            if found is self
            else replace(found, recogniser=self.recogniser, translated={**self.translated, OWN: self})
        )

    def handoff_announced(self, *, there: bool) -> str:
        """Return the text that announces the handoff, or that nobody is available."""
        return self.handoff if there else self.handoff_nobody

    @classmethod
    def load(cls, parts: BotParts) -> Texts:
        """Load the texts from the bot's responses.

        They are ``utter_failed``, ``utter_waiting``, ``utter_late``, ``utter_page_only``, ``utter_unknown_part``, ``utter_suggested``,
        ``utter_disputed``, ``utter_other_language_*``, ``utter_not_meant``, the button of ``utter_unknown``, ``utter_received_*``,
        ``utter_handoff*`` and ``utter_empathy``.
        """
        own, *others = (_texts_of(parts.responses(language)) for language in parts.languages)
        translated = {code: cls(**texts) for code, texts in zip(parts.languages[1:], others, strict=True)}
        return cls(**own, recogniser=parts.recogniser(), translated=translated)


def _texts_of(responses: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        **{name: responses[f"utter_{name}"][0]["text"] for name in (*_PLAIN, *_RECEIVED, *_HANDOFF)},
        "other_language": {
            name.removeprefix(OTHER_LANGUAGE): texts[0]["text"]
            for name, texts in responses.items()
            if name.startswith(OTHER_LANGUAGE)
        },
        "person": responses["utter_unknown"][0]["buttons"][0]["title"],
        "empathy": tuple(each["text"] for each in responses["utter_empathy"]),
    }
