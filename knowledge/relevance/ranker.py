"""Ranks candidates by the reader's score plus the cosine, with calibrated probabilities."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.relevance.reader import SHIPPED, ReaderPair, Reads, describe_entry
from knowledge.relevance.units import units_of
from knowledge.text.features import content_words, normalise_text
from knowledge.types import ENGLISH, Candidate, Embeds, Entry, Question

COSINE = 26.0
"""Weight of the cosine relative to the reader's logit; chosen on the tuned centres."""
MIDDLE = 0.42
READ = 6
"""Number of candidates read; eight are no better on the tuned centres and the demo."""
FAR, FAR_SCORE = 0.3, -6.0
"""Cosine and score of an unrelated entry; used to compute the lead if there are few entries."""
LONG = 20
"""Number of content words from which a question counts as long."""
WORDED = 0.1
HALF_WORDED = 8.0
"""Weight of shared words when choosing the candidates to read, and the BM25 score that counts half."""
SHARED_WORDS = 0.25
"""Weight of shared words relative to the cosine when choosing a unit."""

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ranked:
    """A candidate with its best unit, the reader's logit, and its share among all candidates and "none"."""

    candidate: Candidate
    unit: str
    logit: float
    score: float
    share: float

    @property
    def entry(self) -> Entry:
        return self.candidate.entry


@dataclass(frozen=True)
class Ranking:
    """Candidates, best first, and the probabilities that the first one answers and that any entry does."""

    ranked: tuple[Ranked, ...] = ()
    first: float = 0.0
    known: float = 0.0

    @property
    def is_english(self) -> bool:
        """Whether the first entry is English and was therefore read by the reader."""
        return not self.ranked or self.ranked[0].entry.language == ENGLISH


@dataclass(frozen=True)
class Calibration:
    """Logistic regression over the features of a ranking."""

    mean: Numbers
    scale: Numbers
    weights: Numbers
    bias: float

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Calibration:
        """Load a calibration from its entry in the weights file."""
        mean, scale, weights = (np.array(stored[name], dtype=np.float64) for name in ("mean", "scale", "weights"))
        return cls(mean, scale, weights, float(stored["bias"]))

    def probability(self, signs: Numbers) -> float:
        standard = np.clip((signs - self.mean) / self.scale, -4, 4)
        return float(1 / (1 + np.exp(-(standard @ self.weights + self.bias))))


class Ranker:
    """Reads the nearest candidates and estimates how sure the ranking is."""

    def __init__(self, reader: Reads, embedder: Embeds, weights: Path = SHIPPED / "ranking.json") -> None:
        self._reader = reader
        self._embedder = embedder
        stored = json.loads(weights.read_text(encoding="utf-8"))
        self._calibrations = {
            is_english: (Calibration.of(part["first"]), Calibration.of(part["known"]))
            for is_english, part in ((True, stored), (False, stored["foreign"]))
        }

    def rank(self, question: Question, searched: Sequence[str], candidates: Sequence[Candidate]) -> Ranking:
        """Rank the candidates; ``searched`` are the queries they were retrieved with."""
        return self._build_ranking(question, self.read(question, searched, candidates))

    def without_first(self, question: Question, ranking: Ranking) -> Ranking:
        """Return the ranking without its first entry."""
        rest = ranking.ranked[1:]
        shares = _compute_shares([r.score for r in rest])
        return self._build_ranking(question, tuple(replace(r, share=s) for r, s in zip(rest, shares, strict=True)))

    def _build_ranking(self, question: Question, ranked: tuple[Ranked, ...]) -> Ranking:
        if not ranked:
            return Ranking()
        signs = signs_of(question, ranked)
        calibration, of_any = self._calibrations[Ranking(ranked).is_english]
        first = calibration.probability(signs)
        return Ranking(ranked, first, max(first, of_any.probability(signs)))

    def read(self, question: Question, searched: Sequence[str], candidates: Sequence[Candidate]) -> tuple[Ranked, ...]:
        """Read the nearest candidates; return them best first by reader and cosine."""
        chosen = _keep_distinct_answers(sorted(candidates, key=_compute_nearness, reverse=True))[:READ]
        units = [self._select_answer_unit(searched, candidate) for candidate in chosen]
        history = tuple(turn.text for turn in question.history)
        pairs = [
            ReaderPair(question.text, history, describe_entry(c.entry.title or "", _asked_by(c.entry), unit))
            for c, unit in zip(chosen, units, strict=True)
        ]
        logits = self._score_candidates(chosen, pairs)
        scores = [logit + COSINE * (c.dense - MIDDLE) for logit, c in zip(logits, chosen, strict=True)]
        shares = _compute_shares(scores)
        rows = zip(chosen, units, logits, scores, shares, strict=True)
        return tuple(sorted((Ranked(*row) for row in rows), key=lambda r: r.score, reverse=True))

    def _score_candidates(self, chosen: Sequence[Candidate], pairs: Sequence[ReaderPair]) -> list[float]:
        """Return the reader's logits; 0 for non-English entries, which the reader cannot read."""
        english = [i for i, candidate in enumerate(chosen) if candidate.entry.language == ENGLISH]
        logits = [0.0] * len(chosen)
        for i, logit in zip(english, self._reader.score([pairs[i] for i in english]) if english else [], strict=True):
            logits[i] = float(logit)
        return logits

    def _select_answer_unit(self, searched: Sequence[str], candidate: Candidate) -> str:
        """Return the whole answer, or the nearest unit of a long one."""
        entry = candidate.entry
        units = units_of(entry.answer)
        if len(units) == 1:
            return units[0]
        near = np.array(candidate.units)
        if len(near) != len(units):
            texts = [describe_entry(entry.title or "", _asked_by(entry), unit) for unit in units]
            vectors = self._embedder.embed([*searched, *texts])
            near = (vectors[len(searched) :] @ vectors[: len(searched)].T).max(axis=1)
        asked = content_words(" ".join(searched[:1]))
        shared = [len(asked & content_words(unit)) / (len(asked) or 1) for unit in units]
        return units[int(np.argmax(near + SHARED_WORDS * np.array(shared)))]


def signs_of(question: Question, ranked: Sequence[Ranked]) -> Numbers:
    """Return the calibration features: levels, leads and the share of the question's words covered."""
    first = ranked[0]
    few = len(ranked) < READ
    scores = sorted((*(r.score for r in ranked), *([FAR_SCORE] if few else [])), reverse=True)
    shares = sorted((*(r.share for r in ranked), *([0.0] if few else [])), reverse=True)
    dense = sorted((*(r.candidate.dense for r in ranked), *([FAR] if few else [])), reverse=True)
    logits = sorted((r.logit for r in ranked), reverse=True)
    asked = content_words(question.text)
    covered = len(asked & content_words(_describe_ranked(first))) / (len(asked) or 1)
    best_covered = max(len(asked & content_words(_describe_ranked(r))) for r in ranked[:3]) / (len(asked) or 1)
    lexical = first.candidate.lexical
    return np.array(
        [
            first.share,
            shares[0] - shares[1],
            1.0 - sum(r.share for r in ranked),
            first.score,
            scores[0] - scores[1],
            first.logit,
            logits[0],
            first.candidate.dense,
            dense[0],
            dense[0] - dense[1],
            dense[0] - dense[-1],
            covered,
            best_covered,
            lexical / (lexical + HALF_WORDED),
            min(len(asked), LONG) / LONG,
            float(bool(question.history)),
            float(first.entry.kind == "faq"),
        ]
    )


def _keep_distinct_answers(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Keep the first candidate of each answer, and of each disputed question."""
    firsts: dict[str, Candidate] = {}
    for candidate in candidates:
        entry = candidate.entry
        is_one_of_several = entry.disputed and entry.questions
        firsts.setdefault(normalise_text(entry.questions[0]) if is_one_of_several else entry.answer, candidate)
    return list(firsts.values())


def _compute_shares(scores: Sequence[float]) -> list[float]:
    weights = np.exp(np.clip(np.array(scores), -30, 30))
    return [float(weight / (1.0 + weights.sum())) for weight in weights]


def _compute_nearness(candidate: Candidate) -> float:
    return candidate.dense + WORDED * candidate.lexical / (candidate.lexical + HALF_WORDED)


def _asked_by(entry: Entry) -> str:
    return entry.questions[0] if entry.questions else ""


def _describe_ranked(ranked: Ranked) -> str:
    return describe_entry(ranked.entry.title or "", _asked_by(ranked.entry), ranked.unit)
