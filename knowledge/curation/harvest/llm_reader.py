"""Reading of conversations by a language model: a summary, and which agent sentences answer which question.

The model only selects sentences and words the question. Its output is checked like everything else, and invented
content is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog
from pydantic import BaseModel, ValidationError

from core.llm.masking import Masker
from core.llm.types import Completion, Request, RequestOrigin, RequestSignals
from knowledge.answers.injection import OrderDetector
from knowledge.answers.prompt_texts import Prompts
from knowledge.curation.harvest.analysis import KEY_PHRASES, LONGEST_SUMMARY, Analysis
from knowledge.curation.harvest.privacy import to_a_machine
from knowledge.curation.harvest.transcript import Transcript, TranscriptLine
from knowledge.relevance.extract import sentences_of
from knowledge.text.facts import extract_facts, extract_proper_names

log = structlog.get_logger()
REPLY_TOKENS = 800
LONGEST_READ = 16_000
"""The maximum number of characters of a transcript; of a longer one the model reads the end."""


@dataclass(frozen=True)
class ModelProposal:
    """A question worded by the model, and the sentences of one exchange that answer it."""

    exchange: int
    question: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class ConversationReading:
    """The model's reading of a conversation."""

    proposals: tuple[ModelProposal, ...] = ()
    summary: str = ""
    key_phrases: tuple[str, ...] = ()
    category: str | None = None


class _Pair(BaseModel):
    question: str
    answer: list[int]


class _Reply(BaseModel):
    summary: str | None = None
    key_phrases: list[str] = []
    category: str | None = None
    pairs: list[_Pair]


@dataclass(frozen=True)
class _Line:
    text: str
    exchange: int | None = None
    """The exchange that the line answers, if an agent said it."""
    sentence: str = ""


class Asks(Protocol):
    """Calls a language model if one is configured; implemented by ``core.llm.client.Asking``."""

    def has_model(self, request: Request) -> bool:
        """Whether a model would be called."""

    def __call__(self, request: Request) -> Completion | None:
        """Return the completion, or None if no model answered."""


class ModelReader:
    """Reads conversations with a model, except those that contain instructions to an assistant."""

    def __init__(self, ask: Asks, prompts: Prompts, orders: OrderDetector) -> None:
        self._ask, self._prompts, self._orders = ask, prompts, orders

    def read(
        self, tenant_id: str, transcript: Transcript, categories: Sequence[str] = ()
    ) -> ConversationReading | None:
        """Return the reading, or None without a model, a reply or valid JSON, or if the conversation has instructions."""
        lines = _select_last_lines(list(_split_lines(transcript)))
        if not any(line.sentence for line in lines):
            return None
        caller = RequestOrigin(
            tenant_id, transcript.conversation_id, purpose="harvest", prompt_version=self._prompts.version
        )
        told = [f"[{n}] {line.text}" for n, line in enumerate(lines, 1)]
        request = Request(
            self._prompts.harvest(told, categories), caller, RequestSignals(told[-1]), max_output_tokens=REPLY_TOKENS
        )
        if not self._ask.has_model(request) or self._gives_orders(transcript):
            return None
        completion = self._ask(request)
        return _parse_reading(completion.text, lines, categories, transcript) if completion else None

    def _gives_orders(self, transcript: Transcript) -> bool:
        return any(to_a_machine(said.text) or self._orders.gives_orders(said.text) for said in transcript.said)


def refine_analysis(
    analysis: Analysis, reading: ConversationReading, transcript: Transcript, masker: Masker
) -> Analysis:
    """Use the model's summary, phrases and category as far as they state only what was said."""
    spoken = " ".join(said.text for said in transcript.said)
    summary = reading.summary.strip()
    if not summary or len(summary) > LONGEST_SUMMARY or masker.found(summary) or not _is_supported(summary, spoken):
        summary = analysis.summary
    plain = " ".join(spoken.lower().split())
    phrases = [p.lower() for p in reading.key_phrases if p.lower() in plain and p.strip() and not masker.found(p)]
    return replace(
        analysis,
        summary=summary,
        key_phrases=tuple(dict.fromkeys(phrases))[:KEY_PHRASES] or analysis.key_phrases,
        category=analysis.category or reading.category,
    )


def _is_supported(text: str, spoken: str) -> bool:
    """Whether the numbers, addresses and names occur in the conversation; verbs ("asked") are the summary's own."""
    said, stated = extract_facts(spoken), extract_facts(text)
    named = {name.lower() for name in extract_proper_names(text)} - {"customer", "agent", "bot"}
    return (
        stated.numbers <= said.numbers
        and stated.addresses <= said.addresses
        and all(name in spoken.lower() for name in named)
    )


def _split_lines(transcript: Transcript) -> Iterator[_Line]:
    """Yield each message as a line; agents' messages are split into sentences, as these may become an answer."""
    answering = {id(said): n for n, exchange in enumerate(transcript.exchanges()) for said in exchange.answered}
    for said in transcript.said:
        exchange = answering.get(id(said))
        if exchange is None:
            yield _Line(_format_line(said, said.text))
        else:
            yield from (_Line(_format_line(said, s), exchange, s) for s in sentences_of(said.text))


def _format_line(said: TranscriptLine, text: str) -> str:
    return f"{said.speaker}: {' '.join(text.split())}"


def _select_last_lines(lines: Sequence[_Line]) -> list[_Line]:
    """Return the last lines that fit into ``LONGEST_READ`` characters together."""
    kept, length = list[_Line](), 0
    for line in reversed(lines):
        length += len(line.text)
        if length > LONGEST_READ:
            break
        kept.append(line)
    return kept[::-1]


def _parse_reading(
    text: str, lines: Sequence[_Line], categories: Sequence[str], transcript: Transcript
) -> ConversationReading | None:
    try:
        reply = _Reply.model_validate(json.loads(text[text.index("{") : text.rindex("}") + 1]))
    except (ValueError, ValidationError) as error:
        log.warning("a model's reading was no JSON", conversation_id=transcript.conversation_id, error=str(error)[:200])
        return None
    category = reply.category if reply.category in categories else None
    proposals = tuple(proposal for pair in reply.pairs for proposal in _parse_proposal(pair, lines))
    return ConversationReading(proposals, reply.summary or "", tuple(reply.key_phrases), category)


def _parse_proposal(pair: _Pair, lines: Sequence[_Line]) -> Iterator[ModelProposal]:
    """Yield the proposal, unless it points to missing lines, to lines of others than agents, or to several exchanges."""
    pointed = [lines[n - 1] for n in sorted(set(pair.answer)) if 1 <= n <= len(lines)]
    exchanges = {line.exchange for line in pointed}
    exchange = next(iter(exchanges), None)
    if len(pointed) == len(set(pair.answer)) and len(exchanges) == 1 and exchange is not None:
        question = " ".join(pair.question.split())
        yield ModelProposal(exchange, question, tuple(line.sentence for line in pointed))
