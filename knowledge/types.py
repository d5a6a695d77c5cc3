"""The words of this folder as frozen values: question, entry, candidate, answer."""

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
"""``answered``: sure. ``suggested``: probably, so with its title and what else it may be. ``clarified``: known questions
to choose from. ``unknown``: nothing."""
SPEAKERS: dict[str, Speaker] = {
    "user": "customer",
    "customer": "customer",
    "system": "bot",
    "bot": "bot",
    "assistant": "bot",
    "agent": "agent",
}
"""Who speaks, as the files of conversations and probes name them."""


@dataclass(frozen=True)
class Utterance:
    """One thing that was said in a conversation."""

    speaker: Speaker
    text: str


@dataclass(frozen=True)
class Question:
    """What a customer asked, with the turns before it, oldest first."""

    tenant_id: str
    text: str
    history: tuple[Utterance, ...] = ()
    conversation_id: str | None = None
    turn_id: str | None = None
    """None: no customer asks, it is a trial."""
    mood: str = ""
    """How it sounds: positive, neutral, negative or angry; empty where nothing is known."""


@dataclass(frozen=True)
class Source:
    """Where an answer comes from, as the customer may see it."""

    title: str
    url: str | None = None


@dataclass(frozen=True)
class Entry:
    """One approved piece of knowledge as it is served.

    A ``faq`` has question phrasings and an answer that is sent verbatim. A ``passage`` is a part of a document, of
    which an extract is sent with its source. ``subject`` names the one thing it is about ("Archway House"), where the
    question alone does not say it.
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
    """Another approved entry answers the same question differently: neither is sure."""

    @property
    def own_words(self) -> tuple[str, ...]:
        """What it goes by: the questions it is asked by; a section goes by its heading."""
        return self.questions or ((self.title or "").rpartition(" > ")[2],)


@dataclass(frozen=True)
class Candidate:
    """An entry that may answer, with its dense (cosine) and lexical (BM25) scores."""

    entry: Entry
    dense: float
    lexical: float
    units: tuple[float, ...] = ()
    """The cosine of each unit of a long answer, where the index has their vectors."""


class Embeds(Protocol):
    """Turns texts into unit vectors."""

    def embed(self, texts: list[str]) -> npt.NDArray[np.float32]:
        """One row a text."""


class Retriever(Protocol):
    """Finds the entries that may answer a question."""

    def named(self, tenant_id: str, text: str) -> list[Entry]:
        """The entries that go by exactly these words, capitals and marks aside."""

    def candidates(self, tenant_id: str, texts: list[str], k: int = 10) -> list[Candidate]:
        """At most ``k`` candidates for any of the texts, best first.

        Raises:
            KnowledgeUnavailable: the index cannot be reached.
        """


@dataclass(frozen=True)
class UsedEntry:
    """An entry that went into an answer, at the version that was served."""

    id: str
    version: int
    score: float
    external_id: str | None = None


@dataclass(frozen=True)
class Choice:
    """A known question or section that may be what was meant."""

    entry_id: str
    title: str


@dataclass(frozen=True)
class AnswerPart:
    """The answer to one part of a question; ``text`` is empty where it is unknown or only asks back."""

    question: str
    outcome: AnswerOutcome
    text: str
    confidence: float
    entries: tuple[UsedEntry, ...] = ()
    sources: tuple[Source, ...] = ()
    title: str = ""
    """What a suggested answer answers."""
    choices: tuple[Choice, ...] = ()
    """What else may have been meant, likeliest first."""
    disputed: bool = False
    """The text lists answers that contradict each other."""
    rivalled: bool = False
    """Another entry answers it as well and states something else, so it is not sent as sure."""
    exact: bool = False
    """A known question was asked in its own words."""
    evidence: tuple[Entry, ...] = ()
    """What a model may word an answer from, nearest first; of an approved answer its own entry."""
    nearness: float = 0.0
    """0 to 1: how near the first of them is to the question."""
    written_by: str = ""
    """"approved", "extract", or the id of the model that worded it; empty where it is unknown."""
    writing: Writing | None = None


@dataclass(frozen=True)
class Writing:
    """How a model worded an answer, for the turn's record."""

    route: str
    complexity: float
    cost: Decimal
    prompt_version: str
    groundedness: float | None = None
    """None: nothing was checked, since no model wrote."""


@dataclass(frozen=True)
class Answer:
    """The whole answer, as good as its best part, with the lowest confidence of the parts that have a text."""

    outcome: AnswerOutcome
    parts: tuple[AnswerPart, ...]
    confidence: float
    retrieval_ms: float = 0.0
    generation_ms: float = 0.0
    entries: tuple[UsedEntry, ...] = field(default=())
    sources: tuple[Source, ...] = field(default=())
    """In a text that cites, "[1]" is the first of them."""
    writing: Writing | None = None

    @property
    def written_by(self) -> str:
        """The model that worded it, else "extract" or "approved"; empty where it is unknown."""
        return max(
            (part.written_by for part in self.parts), key=lambda by: (bool(by), by != "approved", by != "extract")
        )
