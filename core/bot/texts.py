"""What `app` words itself: responses of the bot's domain, so that all texts stand in one place."""

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
"""Key of the bot's own language beside the others."""
LATEST = 20
"""Messages of a customer that are read for their language."""
_PLAIN = ("failed", "waiting", "late", "page_only", "unknown_part", "suggested", "disputed", "not_meant")
_RECEIVED = ("received_image", "received_file", "received_location")
_HANDOFF = ("handoff", "handoff_nobody", "handoff_timed_out", "handoff_contact", "handoff_returned")


@dataclass(frozen=True)
class Texts:
    """The sentences a customer gets when something behind us fails, and what is said of a part that is not known."""

    failed: str
    """This message could not be answered."""
    waiting: str
    """It is stored and will be answered."""
    late: str = ""
    """Said before an answer to a message that came to us much later than it was written."""
    page_only: str = "I have something to show you that works only on our website."
    """All of an answer is for the page that the widget is in, and the customer is elsewhere."""
    unknown_part: str = "{part}?"
    """One part of a question is not known; ``{part}`` stands for it."""
    suggested: str = "From “{title}”:\n\n{text}"
    """A likely answer, ``{text}``, under the title of what it answers, ``{title}``."""
    disputed: str = "On “{title}” there is more than one answer, so please have a person check:\n\n{text}"
    """Answers that contradict each other, ``{text}``."""
    other_language: Mapping[str, str] = field(default_factory=dict)
    """By language: that a question in it is only answered in ``{languages}``."""
    not_meant: str = "Not what you meant?"
    """Said before the buttons of what else may have been meant."""
    person: str = "Talk to a person"
    """The title of the button that asks for one."""
    received_image: str = "Thank you, I have your photo. What is it about?"
    """To a photo without a word."""
    received_file: str = "Thank you, I have your file. What is it about?"
    received_location: str = "Thank you, I have the place. What is it about?"
    handoff: str = "A person will answer you here."
    """The bot steps back."""
    handoff_nobody: str = "Nobody is here right now. Leave an e-mail address or a number, and we get back to you."
    handoff_timed_out: str = "Everybody is busy. Leave an e-mail address or a number, and we get back to you."
    handoff_contact: str = "Thank you, we get back to you there."
    handoff_returned: str = "I'm the assistant again: what else can I do for you?"
    empathy: tuple[str, ...] = ()
    """Said before an answer to a customer who is upset; one of these."""
    recogniser: Recogniser = field(default_factory=Recogniser)
    translated: Mapping[str, Texts] = field(default_factory=dict)
    """The same in the other languages that the bot speaks."""

    def language(self, session: Session, conversation_id: str) -> str:
        """That of what the customer wrote last; what is short or tells nothing changes none."""
        written = select(Message.text).filter_by(conversation_id=conversation_id, speaker="customer", payload=None)
        return self.recogniser.language_of(list(session.scalars(written.order_by(Message.seq.desc()).limit(LATEST))))

    def of(self, session: Session, conversation_id: str) -> Texts:
        """Those in the conversation's language."""
        return self.said_in(self.language(session, conversation_id)) if self.translated else self

    def said_in(self, language: str) -> Texts:
        """Those in one language; in the bot's own where it does not speak that one."""
        found = self.translated.get(language, self)
        return (
            found
            if found is self
            else replace(found, recogniser=self.recogniser, translated={**self.translated, OWN: self})
        )

    def handoff_announced(self, *, there: bool) -> str:
        """That a person is called, or that nobody is there."""
        return self.handoff if there else self.handoff_nobody

    @classmethod
    def load(cls, parts: BotParts) -> Texts:
        """From ``utter_failed``, ``utter_waiting``, ``utter_late``, ``utter_page_only``, ``utter_unknown_part``, ``utter_suggested``, ``utter_disputed``, ``utter_other_language_*``, ``utter_not_meant``, the button of ``utter_unknown``, ``utter_received_*``, ``utter_handoff*`` and ``utter_empathy``."""
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
