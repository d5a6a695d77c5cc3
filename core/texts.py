"""What `app` words itself: responses of the bot's domain, so that all texts stand in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.bot_parts import BotParts

OTHER_LANGUAGE = "utter_other_language_"
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
    empathy_ur: tuple[str, ...] = ()
    """The same where the customer writes Urdu."""

    def handoff_announced(self, *, there: bool) -> str:
        """That a person is called, or that nobody is there."""
        return self.handoff if there else self.handoff_nobody

    @classmethod
    def load(cls, parts: BotParts) -> Texts:
        """From ``utter_failed``, ``utter_waiting``, ``utter_late``, ``utter_page_only``, ``utter_unknown_part``, ``utter_suggested``, ``utter_disputed``, ``utter_other_language_*``, ``utter_not_meant``, the button of ``utter_unknown``, ``utter_received_*``, ``utter_handoff*`` and ``utter_empathy*``."""
        responses = parts.responses()
        return cls(
            failed=responses["utter_failed"][0]["text"],
            waiting=responses["utter_waiting"][0]["text"],
            late=responses["utter_late"][0]["text"],
            page_only=responses["utter_page_only"][0]["text"],
            unknown_part=responses["utter_unknown_part"][0]["text"],
            suggested=responses["utter_suggested"][0]["text"],
            disputed=responses["utter_disputed"][0]["text"],
            other_language={
                name.removeprefix(OTHER_LANGUAGE): texts[0]["text"]
                for name, texts in responses.items()
                if name.startswith(OTHER_LANGUAGE)
            },
            not_meant=responses["utter_not_meant"][0]["text"],
            person=responses["utter_unknown"][0]["buttons"][0]["title"],
            **{name: responses[f"utter_{name}"][0]["text"] for name in (*_RECEIVED, *_HANDOFF)},
            empathy=tuple(each["text"] for each in responses["utter_empathy"]),
            empathy_ur=tuple(each["text"] for each in responses["utter_empathy_ur"]),
        )
