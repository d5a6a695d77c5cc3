"""Answers questions: approved answers verbatim, the rest written by a model from evidence, or extracts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from time import perf_counter

import structlog

from core.errors import NoProviderLeft, ProviderFailed
from core.language import language_of
from core.llm.router.router import Router
from core.llm.types import Request, RequestOrigin, RequestSignals
from knowledge.answers.citations import Citations, list_cited_entries
from knowledge.answers.decision import merge_answer_parts
from knowledge.answers.draft import Draft, Nobody, Viewer
from knowledge.answers.injection import OrderDetector
from knowledge.answers.lookup import AnswerDecider
from knowledge.answers.part_writer import EXTRACT, PartWriter, Task, Written
from knowledge.answers.prompt_texts import Prompts
from knowledge.relevance.extract import SENTENCE_END
from knowledge.text import topic
from knowledge.types import Answer, AnswerPart, Question, UsedEntry, Writing

log = structlog.get_logger()

APPROVED = "approved"
NO_MODEL = "none"
REWRITE_TOKENS = 80


@dataclass
class _Work:
    """State of one answer being written."""

    question: Question
    caller: RequestOrigin
    viewer: Viewer
    draft: Draft
    citations: Citations = field(default_factory=Citations)


class Writer:
    """Answers questions; the router's models write what is not approved."""

    def __init__(
        self, answering: AnswerDecider, router: Router, prompts: Prompts, parts: PartWriter, orders: OrderDetector
    ) -> None:
        self._answering = answering
        self._router = router
        self._prompts = prompts
        self._parts = parts
        self._orders = orders

    async def answer(self, question: Question, caller: RequestOrigin, viewer: Viewer | None = None) -> Answer:
        """Answer a customer's message and show the draft to the viewer.

        Raises:
            KnowledgeUnavailable: the index cannot be reached.
        """
        question, found, spent = await self._find_answer(question, caller)
        started = perf_counter()
        viewer = viewer or Nobody()
        work = _Work(question, replace(caller, prompt_version=self._prompts.version), viewer, Draft(viewer))
        parts = _add_citations([await self._write_part(part, work) for part in found.parts], work.citations)
        answer = merge_answer_parts(parts, found.retrieval_ms, found.generation_ms + (perf_counter() - started) * 1000)
        writing = _merge_writings([part.writing for part in parts if part.writing], spent)
        return replace(answer, sources=tuple(work.citations.sources), writing=writing)

    async def would_ask(self, text: str, tenant_id: str) -> Request:
        """Return the model request for this message; for several questions, that of the first.

        Raises:
            KnowledgeUnavailable: the index cannot be reached.
        """
        question, caller = Question(tenant_id, text), RequestOrigin(tenant_id, prompt_version=self._prompts.version)
        question, found, _ = await asyncio.to_thread(self._looked_up, question)
        return self.request(question, found.parts[0], caller)

    def request(self, question: Question, part: AnswerPart, caller: RequestOrigin) -> Request:
        """Return the model request for one part of an answer."""
        asked = replace(question, text=part.question)
        approved = _is_settled(asked, part)
        return Request(
            messages=self._prompts.answer(asked, part.evidence) if part.evidence else (),
            caller=caller,
            signals=RequestSignals(
                question=part.question,
                history_turns=len(question.history),
                retrieval_confidence=part.nearness,
                approved=approved,
                evidence=tuple(f"{entry.id}@{entry.version}" for entry in part.evidence),
            ),
            extract=part.text,
        )

    async def _find_answer(self, question: Question, caller: RequestOrigin) -> tuple[Question, Answer, Decimal]:
        """Answer from the knowledge base; a model first rewrites or translates a question it may not understand."""
        question, found, safe = await asyncio.to_thread(self._looked_up, question)
        if not (safe and self._is_to_be_rewritten(question, found)):
            return question, found, Decimal(0)
        asked, cost = await self._rewrite_question(question, caller)
        if not asked:
            return question, found, cost
        again = await asyncio.to_thread(self._answering.answer, replace(question, text=asked))
        if len(again.parts) == 1:  # the model sees the customer's own words
            again = replace(again, parts=(replace(again.parts[0], question=question.text),))
        again = await asyncio.to_thread(self._without_orders, again)
        return question, max((found, again), key=_score_answer), cost

    def _looked_up(self, question: Question) -> tuple[Question, Answer, bool]:
        """Answer from the knowledge base; also return whether a model may see the question.

        Prompt injections are kept from models: in the question, in its history, and in entries.
        """
        found = self._answering.answer(question)
        if not self._router.has_models or all(_is_settled(question, part) for part in found.parts):
            return question, found, False
        if self._orders.gives_orders(question.text):
            log.warning("a message gives orders to the assistant; no model is asked")
            return question, replace(found, parts=tuple(replace(part, evidence=()) for part in found.parts)), False
        history = tuple(u for u in question.history if not self._orders.gives_orders(u.text))
        return replace(question, history=history), self._without_orders(found), True

    def _without_orders(self, found: Answer) -> Answer:
        parts = (replace(part, evidence=self._orders.without_orders(part.evidence)) for part in found.parts)
        return replace(found, parts=tuple(parts))

    def _is_to_be_rewritten(self, question: Question, found: Answer) -> bool:
        unsure = [part for part in found.parts if part.written_by != APPROVED]
        leans = bool(question.history) and topic.is_dependent(question.text)
        strange = leans or any(_is_foreign(question, part) for part in unsure)
        return bool(unsure) and strange and self._router.document(question.tenant_id).rewrite

    async def _rewrite_question(self, question: Question, caller: RequestOrigin) -> tuple[str, Decimal]:
        request = Request(
            self._prompts.rewrite(question),
            replace(caller, purpose="rewrite", prompt_version=self._prompts.version),
            RequestSignals(question.text, len(question.history)),
            max_output_tokens=REWRITE_TOKENS,
        )
        if not self._router.decide(request).models:
            return "", Decimal(0)
        try:
            completion = await self._router.complete(request)
        except (NoProviderLeft, ProviderFailed) as error:
            log.warning("question not rewritten", error=str(error))
            return "", Decimal(0)
        return completion.text.strip(), (completion.served.cost if completion.served else None) or Decimal(0)

    async def _write_part(self, part: AnswerPart, work: _Work) -> AnswerPart:
        request = self.request(work.question, part, work.caller)
        decision = self._router.decide(request)
        writing = Writing(decision.route, decision.complexity.score, Decimal(0), "")
        if not part.evidence or decision.use == NO_MODEL or not decision.models:
            return await _as_found(replace(part, writing=writing), work)
        if decision.models[0] != EXTRACT:
            await work.viewer.estimate(self._router.estimate_seconds(decision))
        task = Task(replace(work.question, text=part.question), part.evidence, request, decision.models[0])
        before = len(work.citations.sources)
        try:
            written = await self._parts.write(task, work.viewer, work.draft, work.citations)
        except (NoProviderLeft, ProviderFailed) as error:
            log.warning("no model answered", error=str(error))
            return await _as_found(replace(part, writing=writing), work)
        finally:
            del work.citations.sources[before:]  # the draft may cite sources that the answer does not
        version = "" if written.written_by == EXTRACT else self._prompts.version
        writing = replace(writing, cost=written.cost, prompt_version=version, groundedness=written.groundedness)
        if written.written_by == EXTRACT:
            return await _as_found(replace(part, writing=writing), work)
        return await _as_written(replace(part, writing=writing), written, work)


async def _as_found(part: AnswerPart, work: _Work) -> AnswerPart:
    """Show an existing text sentence by sentence."""
    for source in part.sources:
        work.citations.number(source)
    for sentence in _chunk_sentences(part.text) if not work.draft.part else ():
        await work.draft.append(sentence)
    await work.draft.settle(part.text)
    return part


async def _as_written(part: AnswerPart, written: Written, work: _Work) -> AnswerPart:
    """Apply a model's text with renumbered citations; without a text, the part is unknown."""
    text = work.citations.rewritten(written.text, part.evidence)
    await work.draft.settle(text)
    if not text:
        return replace(
            part,
            outcome="unknown",
            text="",
            confidence=0.0,
            entries=(),
            sources=(),
            written_by="",
            title="",
            choices=(),
        )
    named = list_cited_entries(written.text, part.evidence) or list(part.evidence[:1])
    sources = tuple(dict.fromkeys(entry.source for entry in named if entry.source))
    for source in sources:
        work.citations.number(source)
    return replace(
        part,
        outcome="answered",
        text=text,
        title="",
        choices=(),
        confidence=round(part.nearness * (written.groundedness or 0.0), 4),
        entries=tuple(UsedEntry(e.id, e.version, round(part.nearness, 4), e.external_id) for e in named),
        sources=sources,
        written_by=written.written_by,
    )


def _is_settled(question: Question, part: AnswerPart) -> bool:
    """Whether it is an approved answer in the customer's language, to be sent verbatim."""
    return part.written_by == APPROVED and not _is_foreign(question, part)


def _is_foreign(question: Question, part: AnswerPart) -> bool:
    """Whether the question is in another language than its evidence."""
    asked = language_of(question.text)
    return asked not in ({entry.language for entry in part.evidence} or {"en"})


def _chunk_sentences(text: str) -> list[str]:
    """Split the text after each sentence; the pieces join to the whole text."""
    cuts = [0, *(found.end() for found in SENTENCE_END.finditer(text)), len(text)]
    return [text[a:b] for a, b in pairwise(cuts) if a < b]


def _add_citations(parts: Sequence[AnswerPart], citations: Citations) -> list[AnswerPart]:
    """If any part cites, add a citation to the others too, so that the numbered list is complete."""
    cites = any(part.written_by not in {APPROVED, EXTRACT, ""} for part in parts)
    return [_with_mark(part, citations) if cites and len(parts) > 1 else part for part in parts]


def _with_mark(part: AnswerPart, citations: Citations) -> AnswerPart:
    if part.written_by not in {APPROVED, EXTRACT} or not part.sources:
        return part
    return replace(part, text=f"{part.text} [{citations.number(part.sources[0])}]")


def _score_answer(answer: Answer) -> float:
    """Rate a result: approved answers first, then the nearest evidence."""
    return min((1.0 + p.confidence if p.written_by == APPROVED else p.nearness) for p in answer.parts)


def _merge_writings(writings: Sequence[Writing], spent: Decimal) -> Writing | None:
    """Merge the records: the hardest part's route, the total cost, the lowest groundedness."""
    if not writings:
        return None
    hardest = max(writings, key=lambda w: w.complexity)
    checked = [w.groundedness for w in writings if w.groundedness is not None]
    return Writing(
        route=hardest.route,
        complexity=hardest.complexity,
        cost=sum((w.cost for w in writings), spent),
        prompt_version=next((w.prompt_version for w in writings if w.prompt_version), ""),
        groundedness=min(checked, default=None),
    )
