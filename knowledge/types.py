"""Immutable value types of the knowledge package: question, entry, candidate, answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

ENGLISH = "en"
Speaker = Literal["customer", "bot", "agent"]
EntryKind = Literal["faq", "passage"]
AnswerOutcome = Literal["answered", "suggested", "clarified", "unknown"]
"""``answered``: sent as sure. ``suggested``: sent as likely, with its title and alternatives. ``clarified``: known
questions to choose from. ``unknown``: no answer."""
SPEAKERS: dict[str, Speaker] = {
    "user": "customer",
    "customer": "customer",
    "system": "bot",
    "bot": "bot",
    "assistant": "bot",
    "agent": "agent",
}
"""Maps the speaker names used in conversation and probe files."""


@dataclass(frozen=True)
class Utterance:
    """One utterance of a conversation."""

    speaker: Speaker
    text: str


@dataclass(frozen=True)
class Question:
    """A customer's question with the preceding turns, oldest first."""

    tenant_id: str
    text: str
    history: tuple[Utterance, ...] = ()
    conversation_id: str | None = None
    turn_id: str | None = None
    """None for a trial, where no customer asks."""
    mood: str = ""
    """Mood of the message: positive, neutral, negative or angry; empty if unknown."""


@dataclass(frozen=True)
class Source:
    """The source of an answer, as shown to the customer."""

    title: str
    url: str | None = None


@dataclass(frozen=True)
class Entry:
    """One approved knowledge entry as it is served.

    A ``faq`` has question phrasings and an answer that is sent verbatim. A ``passage`` is part of a document; an
    extract of it is sent with its source. ``subject`` names what the entry is about ("Archway House") if the question
    alone does not say it.
    """

    id: str
    version: int
    kind: EntryKind
    questions: tuple[str, ...]
    answer: str
    subject: str | None = None
    title: str | None = None
    source: Source | None = None
    language: str = ENGLISH
    external_id: str | None = None
    context: tuple[Utterance, ...] = ()
    disputed: bool = False
    """Another approved entry answers the same question differently, so neither is sure."""

    @property
    def own_words(self) -> tuple[str, ...]:
        """The entry's question phrasings, or the heading of a section."""
        return self.questions or ((self.title or "").rpartition(" > ")[2],)


@dataclass(frozen=True)
class Candidate:
    """A retrieved entry with its dense (cosine) and lexical (BM25) scores."""

    entry: Entry
    dense: float
    lexical: float
    units: tuple[float, ...] = ()
    """Cosine of each unit of a long answer, if the index has unit vectors."""


class Embeds(Protocol):
    """Turns texts into unit vectors."""

    def embed(self, texts: list[str]) -> npt.NDArray[np.float32]:
        """Return one row per text."""


class Retriever(Protocol):
    """Finds candidate entries for a question."""

    def named(self, tenant_id: str, text: str) -> list[Entry]:
        """Return the entries whose question or heading is exactly this text, ignoring case and punctuation."""

    def candidates(self, tenant_id: str, texts: list[str], k: int = 10) -> list[Candidate]:
        """Return at most ``k`` candidates for any of the texts, best first.

        Raises:
            KnowledgeUnavailable: the index cannot be reached.
        """


@dataclass(frozen=True)
class UsedEntry:
    """An entry used in an answer, at the version that was served."""

    id: str
    version: int
    score: float
    external_id: str | None = None


@dataclass(frozen=True)
class Choice:
    """A known question or section that the customer may have meant."""

    entry_id: str
    title: str


@dataclass(frozen=True)
class AnswerPart:
    """The answer to one part of a question; ``text`` is empty if the answer is unknown or only asks back."""

    question: str
    outcome: AnswerOutcome
    text: str
    confidence: float
    entries: tuple[UsedEntry, ...] = ()
    sources: tuple[Source, ...] = ()
    title: str = ""
    """The question or heading that a suggested answer answers."""
    choices: tuple[Choice, ...] = ()
    """Alternatives the customer may have meant, likeliest first."""
    disputed: bool = False
    """The text lists answers that contradict each other."""
    rivalled: bool = False
    """Another entry also answers the question but states something else, so this one is not sent as sure."""
    exact: bool = False
    """The question matches a known question word for word."""
    evidence: tuple[Entry, ...] = ()
    """Entries a model may answer from, nearest first; for an approved answer, its own entry."""
    nearness: float = 0.0
    """0 to 1: how near the first evidence entry is to the question."""
    written_by: str = ""
    """"approved", "extract", or the id of the model that wrote it; empty if unknown."""
    writing: Writing | None = None


@dataclass(frozen=True)
class Writing:
    """How a model wrote an answer, for the turn's record."""

    route: str
    complexity: float
    cost: Decimal
    prompt_version: str
    groundedness: float | None = None
    """None if no model wrote the answer, so nothing was checked."""


@dataclass(frozen=True)
class Answer:
    """The whole answer: as good as its best part, with the lowest confidence of the parts that have a text."""

    outcome: AnswerOutcome
    parts: tuple[AnswerPart, ...]
    confidence: float
    retrieval_ms: float = 0.0
    generation_ms: float = 0.0
    entries: tuple[UsedEntry, ...] = field(default=())
    sources: tuple[Source, ...] = field(default=())
    """In a text with citations, "[1]" is the first source."""
    writing: Writing | None = None

    @property
    def written_by(self) -> str:
        """The model that wrote it, else "extract" or "approved"; empty if unknown."""
        return max(
            (part.written_by for part in self.parts), key=lambda by: (bool(by), by != "approved", by != "extract")
        )
