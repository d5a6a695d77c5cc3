"""Writes one part of an answer with a model, streams it, and checks it against the evidence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import cast

from core.errors import NoProviderLeft, ProviderFailed
from core.llm.router.router import Router
from core.llm.types import ChatMessage, Completion, Delta, Finish, Request, Restart, StreamItem, Usage
from knowledge.answers.citations import Citations, Rewriter
from knowledge.answers.draft import Draft, Viewer
from knowledge.answers.grounding import DraftGate, Grounded, Grounding
from knowledge.answers.prompt_texts import NO_ANSWER, Prompts
from knowledge.types import Entry, Question

EXTRACT = "extract"
CORRECTION = "Your answer is not supported by the evidence: {reasons}. Write it anew, only from the evidence."
ENOUGH = 0.5
"""Share of supported sentences from which only the others are cut; below it the answer is rewritten."""
WARM = 0.7
"""Temperature of the second and later candidates, so that they differ from the first."""


@dataclass(frozen=True)
class Written:
    """The result; ``text`` is empty if the evidence does not answer or no sentence was supported."""

    text: str
    written_by: str
    """Model id, or "extract"."""
    cost: Decimal
    """Total cost of all calls."""
    groundedness: float | None = None
    """None for an extract, which needs no check."""


@dataclass(frozen=True)
class Task:
    """One part to write."""

    question: Question
    evidence: tuple[Entry, ...]
    request: Request
    model: str
    """Id of the model asked first; used if the customer stops before the model is known."""

    @property
    def texts(self) -> list[str]:
        """The evidence texts used for grounding."""
        return [to_evidence_text(entry) for entry in self.evidence]


class PartWriter:
    """Streams and checks an answer, cuts unsupported sentences, and retries once if too little is supported."""

    def __init__(self, router: Router, prompts: Prompts, grounding: Grounding) -> None:
        self._router = router
        self._prompts = prompts
        self._grounding = grounding

    async def write(self, task: Task, viewer: Viewer, draft: Draft, citations: Citations) -> Written:
        """Return the part's text with its citation marks.

        Raises:
            NoProviderLeft: no model answered, and there is no extract.
        """
        wanted = self._router.document(task.question.tenant_id).candidates
        if wanted > 1:
            return await self._choose_best_candidate(task, wanted)
        completion = await self._stream_completion(task, viewer, draft, citations)
        written, grounded = await self._check_completion(task, completion)
        if grounded is None or written.text or completion.finish == "stopped":
            return written
        return await self._request_correction(task, completion.text, written, grounded)

    async def _stream_completion(self, task: Task, viewer: Viewer, draft: Draft, citations: Citations) -> Completion:
        sieve = self._make_sieve(task, citations)
        async for item in _stream_until_stopped(viewer.stop, self._router.stream(task.request)):
            if isinstance(item, Restart):
                sieve = self._make_sieve(task, citations)
                await draft.restart()
                continue
            known = len(citations.sources)
            safe = sieve.feed(item.text) if isinstance(item, Delta) else sieve.flush()
            if len(citations.sources) > known:
                await viewer.cite(citations.sources)
            await draft.append(safe)
            if isinstance(item, Finish):
                return item.completion
        return Completion(sieve.passed, task.model, Usage(0, 0), "stopped")

    def _make_sieve(self, task: Task, citations: Citations) -> _Sieve:
        return _Sieve(self._grounding.gate(task.texts, task.question.text), citations.rewriter(task.evidence))

    async def _check_completion(self, task: Task, completion: Completion) -> tuple[Written, Grounded | None]:
        by = completion.served.model if completion.served else completion.model
        cost = (completion.served.cost if completion.served else None) or Decimal(0)
        if by == EXTRACT:
            return Written(completion.text, by, cost), None
        if _is_refusal(completion.text):
            return Written("", by, cost), None
        grounded = await asyncio.to_thread(self._grounding.check, completion.text, task.texts, task.question.text)
        share = sum(s.supported for s in grounded.sentences) / (len(grounded.sentences) or 1)
        text = grounded.kept().strip() if share >= ENOUGH else ""
        return Written(text, by, cost, grounded.score), grounded

    async def _request_correction(self, task: Task, said: str, first: Written, grounded: Grounded) -> Written:
        """Ask again with the reasons; if that fails too, return the extract."""
        reasons = "; ".join(dict.fromkeys(r for s in grounded.sentences if not s.supported for r in s.reasons))
        told = (ChatMessage("assistant", said), ChatMessage("user", CORRECTION.format(reasons=reasons)))
        request = replace(task.request, messages=(*task.request.messages, *told))
        second, _ = await self._check_completion(task, await self._router.complete(request))
        cost = first.cost + second.cost
        if second.text or not task.request.extract:
            return replace(second, cost=cost)
        return Written(task.request.extract, EXTRACT, cost)

    async def _choose_best_candidate(self, task: Task, wanted: int) -> Written:
        """Request several candidates at once; return the best by the judge's mark, else by groundedness."""
        requests = [task.request, *(replace(task.request, temperature=WARM) for _ in range(wanted - 1))]
        calls = await asyncio.gather(*(self._router.complete(r) for r in requests), return_exceptions=True)
        completions = [call for call in calls if isinstance(call, Completion)]
        if not completions:
            raise next(call for call in calls if isinstance(call, BaseException))
        checked = [(await self._check_completion(task, completion))[0] for completion in completions]
        judged = [w for w in checked if w.text] or checked
        scores = [w.groundedness if w.groundedness is not None else 0.0 for w in judged]
        cost = sum((w.cost for w in checked), Decimal(0))
        if len(judged) > 1 and self._router.document(task.question.tenant_id).judge:
            marks = await asyncio.gather(*(self._judge_candidate(task, w) for w in judged))
            scores = [mark for mark, _ in marks]
            cost += sum((spent for _, spent in marks), Decimal(0))
        best = max(range(len(judged)), key=lambda i: scores[i])
        return replace(judged[best], cost=cost)

    async def _judge_candidate(self, task: Task, written: Written) -> tuple[float, Decimal]:
        """Return the judge's mark and its cost; 0 if the call failed."""
        messages = self._prompts.judge(task.question, task.evidence, written.text)
        caller = replace(task.request.caller, purpose="judge")
        try:
            completion = await self._router.complete(Request(messages, caller, task.request.signals))
        except (NoProviderLeft, ProviderFailed):
            return 0.0, Decimal(0)
        return self._prompts.mark(completion.text), (completion.served.cost if completion.served else None) or Decimal(
            0
        )


class _Sieve:
    """Filters a stream: holds back a possible NO_ANSWER and unsupported text, and renumbers citations."""

    def __init__(self, gate: DraftGate, marks: Rewriter) -> None:
        self._gate, self._marks = gate, marks
        self._opening: str | None = ""
        self.passed = ""
        """The released text, with the evidence's own numbers."""

    def feed(self, piece: str) -> str:
        """Return the text released by the next piece."""
        if self._opening is not None:
            self._opening += piece
            if NO_ANSWER.startswith(self._opening.lstrip()[: len(NO_ANSWER)]):
                return ""
            piece, self._opening = self._opening, None
        return self._pass_safe_text(self._gate.feed(piece))

    def flush(self) -> str:
        """Return the remaining text at the end of the stream."""
        held, self._opening = self._opening or "", None
        if _is_refusal(held):
            return ""
        return self._pass_safe_text(self._gate.feed(held) + self._gate.flush()) + self._marks.flush()

    def _pass_safe_text(self, safe: str) -> str:
        self.passed += safe
        return self._marks.feed(safe)


async def _stream_until_stopped(stop: asyncio.Event, items: AsyncIterator[StreamItem]) -> AsyncIterator[StreamItem]:
    """Yield items until ``stop`` is set, then cancel the rest."""
    halted = asyncio.ensure_future(stop.wait())
    try:
        async with aclosing(cast("AsyncGenerator[StreamItem]", items)):
            while True:
                following = asyncio.ensure_future(anext(items))
                await asyncio.wait({following, halted}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    following.cancel()
                    await asyncio.gather(following, return_exceptions=True)
                    return
                try:
                    yield following.result()
                except StopAsyncIteration:
                    return
    finally:
        halted.cancel()


def to_evidence_text(entry: Entry) -> str:
    """Return an entry's text as evidence."""
    return "\n".join(filter(None, (entry.title, *entry.questions[:1], entry.answer)))


def _is_refusal(text: str) -> bool:
    return text.strip().strip("*`\"'").startswith(NO_ANSWER)
