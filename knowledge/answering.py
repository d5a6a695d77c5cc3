"""The decision what to answer: an approved answer verbatim, an extract with its source, or honestly unknown."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from knowledge import context
from knowledge.extract import Embeds, extract, sentence_scores, sentences_of
from knowledge.matching import Match, Matcher
from knowledge.parts import parts_of
from knowledge.reuse.deciding import Reuse
from knowledge.signals import contradicts, normalised
from knowledge.types import Answer, AnswerPart, Candidate, Entry, Question, Retriever, Source, UsedEntry, Utterance

LONGEST_QUESTION = 1000
SUGGESTIONS = 3
LIFT: dict[context.Standing, float] = {"same": 0.15, "older": 0.02, "other": -0.06, "unnamed": 0.0, "general": 0.0}
"""What a subject's standing adds to nearness when the candidates to match are chosen."""


@dataclass(frozen=True)
class Limits:
    """How sure an answer must be; ``answer`` None takes the matcher's own threshold."""

    answer: float | None = None
    help_centre: float = 0.34
    """The same for an entry that was not learnt from a conversation: a near miss is offered rather than sent."""
    suggested: float = 0.45
    """Cosine from which a help centre's question is offered where none is answered."""
    passage: float = 0.62
    """Nearness (meaning plus shared words) from which a passage's best sentence answers."""
    retrieved: int = 40
    matched: int = 12
    evidence: float = 0.35
    """Nearness from which something may be shown to a model at all."""
    shown: int = 5
    """Entries that a model is shown at most."""


@dataclass(frozen=True)
class Spent:
    """Milliseconds spent on one part."""

    retrieval: float
    generation: float


class Answering:
    """Answers questions from approved entries."""

    def __init__(
        self,
        retriever: Retriever,
        matcher: Matcher,
        embedder: Embeds,
        limits: Limits | None = None,
        reuse: Reuse | None = None,
    ) -> None:
        self._reuse = reuse or Reuse.shipped()
        self._retriever = retriever
        self._matcher = matcher
        self._embedder = embedder
        self._limits = limits or Limits()

    def answer(self, question: Question) -> Answer:
        """The answer to a customer's message, part by part; the caller words what is unknown.

        Raises:
            KnowledgeUnavailable: the index cannot be reached.
        """
        asked = replace(question, text=question.text.strip()[:LONGEST_QUESTION])
        texts = parts_of(asked.text) if normalised(asked.text) else []
        parts: list[AnswerPart] = []
        spent: list[Spent] = []
        for text in texts:
            part, took = self._answer_part(replace(asked, text=text))
            parts.append(part)
            spent.append(took)
            asked = replace(asked, history=(*asked.history, *_said(part)))
        retrieval, generation = sum(s.retrieval for s in spent), sum(s.generation for s in spent)
        return whole(parts or [_unknown(asked.text)], retrieval, generation)

    def _answer_part(self, question: Question) -> tuple[AnswerPart, Spent]:
        started = time.perf_counter()
        candidates = self._candidates(question)
        retrieved = time.perf_counter()
        part = self._decided(question, candidates)
        ended = time.perf_counter()
        return part, Spent((retrieved - started) * 1000, (ended - retrieved) * 1000)

    def _candidates(self, question: Question) -> list[Candidate]:
        return self._retriever.candidates(question.tenant_id, searched(question), self._limits.retrieved)

    def _decided(self, question: Question, candidates: list[Candidate]) -> AnswerPart:
        exact = _exact(question, candidates)
        if exact:
            self._reuse.book.confirm(question, exact.entry.id)
            return _verbatim(question, exact.entry, 1.0)
        chosen = shortlist(question, candidates, self._limits.matched)
        ranked = self._unguarded(question, [c for c in chosen if c.entry.kind == "faq"])
        decision = self._reuse.decide(question, ranked)
        if decision.verdict == "verbatim":
            return _verbatim(question, ranked[0].candidate.entry, decision.score)
        if decision.verdict == "held_out":
            held = ranked[0].candidate
            chosen, ranked = [c for c in chosen if c is not held], [m for m in ranked if m.candidate is not held]
        return self._not_verbatim(question, chosen, ranked)

    def _not_verbatim(self, question: Question, chosen: list[Candidate], ranked: list[Match]) -> AnswerPart:
        """An extract, else near questions to choose from; and what a model may word an answer from."""
        passages = self._nearest(question, [c.entry for c in chosen if c.entry.kind == "passage"])
        best = self._likely(ranked)
        part = _learnt(question, best) if best else self._extracted(question, passages)
        if part.outcome == "unknown":
            part = replace(part, suggestions=self._suggestions(question, chosen, best))
        return self._with_evidence(part, passages, [m.candidate for m in ranked])

    def _unguarded(self, question: Question, candidates: list[Candidate]) -> list[Match]:
        return [m for m in self._matcher.ranked(question, candidates) if not _is_guarded(question, m)]

    def _with_evidence(
        self, part: AnswerPart, passages: list[tuple[float, Entry]], questions: list[Candidate]
    ) -> AnswerPart:
        near = [*passages, *((c.dense, c.entry) for c in questions)]
        near = sorted((n for n in near if n[0] >= self._limits.evidence), key=lambda n: n[0], reverse=True)
        shown = near[: self._limits.shown]
        return replace(part, evidence=tuple(e for _, e in shown), nearness=min(1.0, shown[0][0])) if shown else part

    def _likely(self, ranked: list[Match]) -> Match | None:
        """The best match, where it probably answers, though not so surely that it may be sent verbatim."""
        needed = self._matcher.threshold if self._limits.answer is None else self._limits.answer
        return next((m for m in ranked[:1] if _with_twins(m, ranked) >= self._needed(m, needed)), None)

    def _needed(self, match: Match, needed: float) -> float:
        return needed if match.candidate.entry.context else max(needed, self._limits.help_centre)

    def _suggestions(self, question: Question, candidates: list[Candidate], best: Match | None) -> tuple[str, ...]:
        """The help centre's own questions near to this one alone; never what was learnt from talk about one thing."""
        near = [c.entry for c in candidates if c.entry.kind == "faq" and not _needs_talk(c.entry)]
        asked = [entry.questions[0] for entry in near]
        vectors = self._embedder.embed([question.text, *asked])
        cosines = [float(cosine) for cosine in vectors[1:] @ vectors[0]]
        ranked = sorted(zip(cosines, asked, strict=True), reverse=True)
        likely = [best.candidate.entry.questions[0]] if best else []
        close = [text for cosine, text in ranked if cosine >= self._limits.suggested]
        return tuple(dict.fromkeys([*likely, *close]))[:SUGGESTIONS]

    def _nearest(self, question: Question, passages: list[Entry]) -> list[tuple[float, Entry]]:
        return sorted(((self._nearness(question, p), p) for p in passages), key=lambda n: n[0], reverse=True)

    def _extracted(self, question: Question, passages: list[tuple[float, Entry]]) -> AnswerPart:
        """The best sentences of the best passage."""
        if not passages or passages[0][0] < self._limits.passage:
            return _unknown(question.text)
        nearness, entry = passages[0]
        text = extract(context.resolved(question), entry.answer, self._embedder)
        return _answered(question, entry, text, min(1.0, nearness), "extract") if text else _unknown(question.text)

    def _nearness(self, question: Question, passage: Entry) -> float:
        titled = [f"{passage.title}: {s}" if passage.title else s for s in sentences_of(passage.answer)]
        return float(sentence_scores(context.resolved(question), titled, self._embedder).max()) if titled else 0.0


def searched(question: Question) -> list[str]:
    """The texts that entries are looked up by: alone, made whole, and with what was said before."""
    return list(dict.fromkeys([question.text, context.resolved(question), context.with_last_turn(question)]))


def shortlisted(question: Question, retriever: Retriever, limits: Limits | None = None) -> list[Candidate]:
    """What the matcher is shown."""
    limits = limits or Limits()
    found = retriever.candidates(question.tenant_id, searched(question), limits.retrieved)
    return shortlist(question, found, limits.matched)


def shortlist(question: Question, candidates: Sequence[Candidate], size: int) -> list[Candidate]:
    """The candidates worth matching: near in meaning, and about what is being talked of."""
    standings = context.standings((c.entry.subject for c in candidates if c.entry.subject), question)
    return sorted(candidates, key=lambda c: c.dense + LIFT[standings[c.entry.subject or None]], reverse=True)[:size]


def _exact(question: Question, candidates: list[Candidate]) -> Candidate | None:
    """The one entry asked for in its own words, where nothing before could change what is meant."""
    asked = normalised(question.text)
    same = [c for c in candidates if c.entry.kind == "faq" and asked in map(normalised, c.entry.questions)]
    if not asked or len({c.entry.id for c in same}) != 1:
        return None
    standing = context.standing(
        same[0].entry.subject, question, [c.entry.subject for c in candidates if c.entry.subject]
    )
    clear = standing == "same" or (
        standing == "general" and not (question.history and context.is_dependent(question.text))
    )
    return same[0] if clear else None


def _is_guarded(question: Question, match: Match) -> bool:
    return match.standing == "other" or contradicts(question.text, match.phrasing)


def _needs_talk(entry: Entry) -> bool:
    """Does only a conversation make its question clear? Then it can be no button."""
    return bool(entry.context or entry.subject)


def _learnt(question: Question, match: Match) -> AnswerPart:
    """What an agent once said to much the same; a help centre's question is rather offered to choose."""
    entry = match.candidate.entry
    if not _needs_talk(entry):
        return _unknown(question.text)
    return _answered(question, entry, entry.answer, match.probability, "extract")


def _with_twins(best: Match, ranked: Sequence[Match]) -> float:
    """The best match's probability, with that of entries giving the very same answer about the same subject."""
    entry = best.candidate.entry
    answer = normalised(entry.answer)
    twins = [
        m
        for m in ranked
        if m.candidate.entry.subject == entry.subject and normalised(m.candidate.entry.answer) == answer
    ]
    return sum(m.probability for m in twins)


def _verbatim(question: Question, entry: Entry, confidence: float) -> AnswerPart:
    part = _answered(question, entry, entry.answer, confidence, "approved")
    return replace(part, evidence=(entry,), nearness=min(1.0, confidence))


def _answered(question: Question, entry: Entry, text: str, confidence: float, written_by: str) -> AnswerPart:
    used = UsedEntry(entry.id, entry.version, round(confidence, 4), entry.external_id)
    sources: tuple[Source, ...] = (entry.source,) if entry.source else ()
    return AnswerPart(question.text, "answered", text, confidence, (used,), sources, written_by=written_by)


def _unknown(text: str) -> AnswerPart:
    return AnswerPart(text, "unknown", "", 0.0)


def _said(part: AnswerPart) -> list[Utterance]:
    said = [Utterance("customer", part.question)]
    return [*said, Utterance("bot", part.text)] if part.text else said


def whole(parts: Sequence[AnswerPart], retrieval_ms: float = 0.0, generation_ms: float = 0.0) -> Answer:
    """One answer of its parts."""
    answered = [p for p in parts if p.outcome == "answered"]
    return Answer(
        outcome="answered" if answered else "unknown",
        parts=tuple(parts),
        confidence=min((p.confidence for p in answered), default=0.0),
        retrieval_ms=retrieval_ms,
        generation_ms=generation_ms,
        entries=tuple(dict.fromkeys(e for p in answered for e in p.entries)),
        sources=tuple(dict.fromkeys(s for p in answered for s in p.sources)),
    )
