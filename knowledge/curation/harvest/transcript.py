"""A conversation as the harvest reads it: cleaned messages with speakers, grouped into exchanges."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.models import Conversation, Message
from core.errors import NotFound
from knowledge.types import SPEAKERS, Speaker

_HANDLES = re.compile(r"^(?:\s*@\w+[,:]?\s*)+")
_SIGNED = re.compile(r"\s*(?:[*^~][ ]?[A-Za-z]\w{0,14}|(?<=[.!?])\s-[ ]?[A-Z]\w{0,14})\s*$")
_CUT_OFF = re.compile(r"(?:\.\.\.|…|\(cont(?:inued|'d|d)?\)|\(?\b\d/\d\)?)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class TranscriptLine:
    speaker: Speaker
    text: str
    message_id: str = ""

    @property
    def cut_off(self) -> bool:
        """Whether the line breaks off and continues in another message."""
        return bool(_CUT_OFF.search(self.text))


@dataclass(frozen=True)
class Exchange:
    """The customer's messages since an agent last spoke, and the agent's answer."""

    before: tuple[TranscriptLine, ...]
    """All messages before the answer, oldest first."""
    asked: tuple[TranscriptLine, ...]
    """The customer's messages among them since an agent last spoke."""
    answered: tuple[TranscriptLine, ...]
    """The agent's messages in reply."""
    after: tuple[TranscriptLine, ...]
    """The customer's next messages."""


@dataclass(frozen=True)
class Transcript:
    """All messages of one conversation."""

    conversation_id: str
    said: tuple[TranscriptLine, ...]
    last_seq: int = 0
    approved: bool = False
    """Whether someone allowed learning from its last answer."""
    closed: bool = True

    def by(self, *speakers: Speaker) -> list[TranscriptLine]:
        """Return only the lines of these speakers."""
        return [each for each in self.said if each.speaker in speakers]

    def exchanges(self) -> Iterator[Exchange]:
        """Yield each agent's answer to a customer; bot messages are only in ``before``."""
        runs = _group_by_speaker(self.said)
        for n, (speaker, first, last) in enumerate(runs):
            asked = _select_asked(runs[:n], self.said) if speaker == "agent" else ()
            if asked:
                after = next((r for r in runs[n + 1 :] if r[0] == "customer"), None)
                yield Exchange(
                    before=self.said[:first],
                    asked=asked,
                    answered=self.said[first:last],
                    after=self.said[after[1] : after[2]] if after else (),
                )


def read_transcript(session: Session, tenant_id: str, conversation_id: str) -> Transcript:
    """Load a stored conversation.

    Raises:
        NotFound: The tenant has no such conversation.
    """
    conversation = session.get(Conversation, conversation_id)
    if conversation is None or conversation.tenant_id != tenant_id:
        raise NotFound(f"There is no conversation {conversation_id!r}.")
    rows = select(Message.speaker, Message.text, Message.id).where(Message.conversation_id == conversation_id)
    said = tuple(
        TranscriptLine(SPEAKERS[speaker], clean_channel_text(text), message_id)
        for speaker, text, message_id in session.execute(rows.order_by(Message.seq))
    )
    return Transcript(
        conversation_id, said, conversation.last_seq, conversation.approved, conversation.status == "closed"
    )


def clean_channel_text(text: str) -> str:
    """Remove a channel's additions: leading handles, the agent's initials at the end, HTML entities."""
    return _SIGNED.sub("", _HANDLES.sub("", html.unescape(text))).strip()


def _group_by_speaker(said: Sequence[TranscriptLine]) -> list[tuple[Speaker, int, int]]:
    """Group consecutive messages by speaker as (speaker, start, end)."""
    runs: list[tuple[Speaker, int, int]] = []
    for n, each in enumerate(said):
        if runs and runs[-1][0] == each.speaker:
            runs[-1] = (each.speaker, runs[-1][1], n + 1)
        else:
            runs.append((each.speaker, n, n + 1))
    return runs


def _select_asked(
    runs: Sequence[tuple[Speaker, int, int]], said: tuple[TranscriptLine, ...]
) -> tuple[TranscriptLine, ...]:
    """Return the customer's messages since an agent last spoke; the bot may have spoken in between."""
    last_agent = max((n for n, run in enumerate(runs) if run[0] == "agent"), default=-1)
    own = [run for run in runs[last_agent + 1 :] if run[0] == "customer"]
    return tuple(each for _, first, last in own for each in said[first:last])
