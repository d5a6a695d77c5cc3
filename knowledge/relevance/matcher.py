"""Estimates the probability that an entry answers a turn, with a small trained cross-encoder over token vectors."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np
import numpy.typing as npt

from knowledge.embeddings.embedder import open_session
from knowledge.text import features as signals
from knowledge.text import topic
from knowledge.text.topic import STANDINGS, Standing
from knowledge.types import Candidate, Entry, Question

Vectors = npt.NDArray[np.float32]

SHIPPED = Path(__file__).parents[1] / "weights"
QUESTION_TOKENS = 24
ANSWER_TOKENS = 20
REMEMBERED_TEXTS = 2048
MOST_PHRASINGS = 5
WORST = 3
"""Number of least covered words averaged per side."""
HEAD, ASKED, ASKED_BEFORE, PHRASING, ANSWER, ENTRY_BEFORE = range(6)

TRAINED, TRAINED_WITHOUT_CONTEXT = 0.7, 0.4
"""Weights of the trained score against the plain one, with and without context: it was trained on conversations, and is
no better than the plain score on help-centre pages."""
NEAR, SHARED, BAR = 10.0, 4.0, 8.0
BY_STANDING: dict[Standing, float] = {"same": 1.5, "general": 0.5, "unnamed": -0.5, "older": -0.5, "other": -6.0}
NEAR_AT, SHARED_AT, STANDING_AT = 0, 3, 5


class TokenEmbedder(Protocol):
    """Turns texts into token vectors."""

    def token_vectors(self, texts: list[str]) -> list[Vectors]:
        """Return one array of shape (tokens, dimensions) per text."""


@dataclass(frozen=True)
class Alignment:
    """Alignment of the question and the matched phrasing: as whole texts, and each side's words with the other's."""

    near: float = 0.0
    asked_worst: float = 0.0
    """Mean of the three words that the other side covers least."""
    asked_mean: float = 0.0
    own_worst: float = 0.0
    own_mean: float = 0.0


@dataclass(frozen=True)
class Match:
    """A candidate, the probability that it answers, and its subject's standing in the conversation."""

    candidate: Candidate
    probability: float
    standing: Standing
    phrasing: str
    alignment: Alignment = Alignment()


class Matcher(Protocol):
    """Estimates the probability that each candidate answers the question."""

    threshold: float

    def ranked(self, question: Question, candidates: Sequence[Candidate]) -> list[Match]:
        """Return matches, best first; their probabilities and that of "none of these" add up to one."""


@dataclass(frozen=True)
class Read:
    """A text as the matcher reads it: the vectors of its first tokens, and its unit vector."""

    tokens: Vectors
    whole: Vectors


@dataclass(frozen=True)
class MatchPair:
    """One candidate paired with the question, ready to be scored."""

    parts: tuple[tuple[Vectors, int], ...]
    signals: tuple[float, ...]

    @property
    def trust(self) -> float:
        """The weight of the trained score."""
        has_context = any(segment == ENTRY_BEFORE for _, segment in self.parts)
        return TRAINED if has_context else TRAINED_WITHOUT_CONTEXT


class TrainedMatcher:
    """The shipped matcher; its weights and threshold are in one folder."""

    def __init__(self, tokens: TokenEmbedder, folder: Path = SHIPPED, threads: int = 1) -> None:
        self._session = open_session(folder / "matcher.onnx", threads)
        self.threshold = float(json.loads((folder / "matcher.json").read_text())["threshold"])
        self._tokens = tokens
        self._read: OrderedDict[str, Read] = OrderedDict()
        self._lock = Lock()

    def ranked(self, question: Question, candidates: Sequence[Candidate]) -> list[Match]:
        """Return matches, best first; entry readings are cached, so later questions are faster."""
        if not candidates:
            return []
        asked = signals.asked_texts(question, subjects_among(candidates))
        phrasings = [self._nearest_phrasings(asked.question, c.entry) for c in candidates]
        sides = [
            signals.entry_texts(c.entry, p[0] if p else "", c.entry.answer)
            for c, p in zip(candidates, phrasings, strict=True)
        ]
        read = self._read_all([asked, *sides])
        standings = _list_standings(question, candidates)
        pairs = [build_pair(asked, side, found, read) for side, found in zip(sides, standings, strict=True)]
        aligned = [_compute_alignment(read[asked.question], read.get(side.question)) for side in sides]
        return _build_matches(candidates, standings, phrasings, self._score_pairs(asked, pairs, read), aligned)

    def _nearest_phrasings(self, asked: str, entry: Entry) -> tuple[str, ...]:
        if len(entry.questions) <= 1:
            return entry.questions
        nearest = sorted(entry.questions, key=lambda q: -signals.compute_overlap(asked, q))[:MOST_PHRASINGS]
        read = self._read_texts([asked, *nearest])
        return tuple(sorted(nearest, key=lambda q: -float(read[asked].whole @ read[q].whole)))

    def _read_all(self, sides: Sequence[signals.FeatureTexts]) -> dict[str, Read]:
        wanted = [text for side in sides for text in (side.question, side.answer, *side.before) if text.strip()]
        return self._read_texts(wanted)

    def _read_texts(self, texts: list[str]) -> dict[str, Read]:
        with self._lock:
            read = {text: self._read[text] for text in texts if text in self._read}
        missing = sorted({text for text in texts if text not in read}, key=len)
        read.update(zip(missing, map(build_text_reading, self._tokens.token_vectors(missing)), strict=True))
        with self._lock:
            self._read.update({text: read[text] for text in missing})
            while len(self._read) > REMEMBERED_TEXTS:
                self._read.popitem(last=False)
        return read

    def _score_pairs(self, asked: signals.FeatureTexts, pairs: Sequence[MatchPair], read: dict[str, Read]) -> Vectors:
        front = asked_parts(asked, read)
        feed = stack_vectors("asked", [front] * len(pairs)) | stack_vectors("entry", [pair.parts for pair in pairs])
        found = np.array([pair.signals for pair in pairs], dtype=np.float32)
        feed["signals"] = found
        trained = np.asarray(self._session.run(None, feed)[0], dtype=np.float32)
        trust = np.array([pair.trust for pair in pairs])
        return np.asarray(trust * trained + (1 - trust) * _plain_scores(found), dtype=np.float32)


def subjects_among(candidates: Sequence[Candidate]) -> list[str]:
    """Return the distinct subjects of the candidates."""
    return list(dict.fromkeys(c.entry.subject for c in candidates if c.entry.subject))


def _list_standings(question: Question, candidates: Sequence[Candidate]) -> list[Standing]:
    known = topic.compute_standings(subjects_among(candidates), question)
    return [known[c.entry.subject or None] for c in candidates]


def _build_matches(
    candidates: Sequence[Candidate],
    standings: Sequence[Standing],
    phrasings: Sequence[Sequence[str]],
    scores: npt.NDArray[np.floating],
    aligned: Sequence[Alignment] | None = None,
) -> list[Match]:
    weights = np.exp(np.clip(scores, -30, 30))
    shares = weights / (1.0 + weights.sum())
    found = [
        Match(candidate, float(share), standing, phrased[0] if phrased else "", alignment)
        for candidate, standing, phrased, share, alignment in zip(
            candidates, standings, phrasings, shares, aligned or [Alignment()] * len(candidates), strict=True
        )
    ]
    return sorted(found, key=lambda m: -m.probability)


def _compute_alignment(asked: Read, own: Read | None) -> Alignment:
    if own is None:
        return Alignment()
    covered = _normalise_tokens(asked.tokens) @ _normalise_tokens(own.tokens).T
    asked_words, own_words = np.sort(covered.max(axis=1)), np.sort(covered.max(axis=0))
    return Alignment(
        float(asked.whole @ own.whole),
        float(asked_words[:WORST].mean()),
        float(asked_words.mean()),
        float(own_words[:WORST].mean()),
        float(own_words.mean()),
    )


def _normalise_tokens(tokens: Vectors) -> Vectors:
    words = tokens[1:] if len(tokens) > 1 else tokens  # the first stands for the whole text
    return np.asarray(words / np.maximum(np.linalg.norm(words, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _plain_scores(found: Vectors) -> npt.NDArray[np.floating]:
    """Score by nearness, shared words and standing alone."""
    standings = found[:, STANDING_AT : STANDING_AT + len(STANDINGS)] @ np.array([BY_STANDING[s] for s in STANDINGS])
    return np.asarray(NEAR * found[:, NEAR_AT] + SHARED * found[:, SHARED_AT] - BAR + standings, dtype=np.float64)


def build_text_reading(vectors: Vectors) -> Read:
    """Build a reading: the first tokens' vectors and the normalised mean of all."""
    mean = vectors.mean(axis=0)
    return Read(vectors[:QUESTION_TOKENS].copy(), (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32))


def asked_parts(asked: signals.FeatureTexts, read: dict[str, Read]) -> tuple[tuple[Vectors, int], ...]:
    """Return the question side: an empty head for the signals, the question, and the preceding turns."""
    width = read[asked.question].tokens.shape[1]
    head = np.zeros((1, width), np.float32)
    return ((head, HEAD), (read[asked.question].tokens, ASKED), *_collect_turn_vectors(asked, ASKED_BEFORE, read))


def _collect_turn_vectors(side: signals.FeatureTexts, segment: int, read: dict[str, Read]) -> list[tuple[Vectors, int]]:
    turns = [read[text].whole for text in side.before if text.strip()]
    return [(np.stack(turns), segment)] if turns else []


def build_pair(
    asked: signals.FeatureTexts, side: signals.FeatureTexts, standing: Standing, read: dict[str, Read]
) -> MatchPair:
    """Build the entry side and the signals between both sides."""
    parts = [(read[side.question].tokens, PHRASING)] if side.question.strip() else []
    parts += [(read[side.answer].tokens[:ANSWER_TOKENS], ANSWER)] if side.answer.strip() else []
    return MatchPair(
        (*parts, *_collect_turn_vectors(side, ENTRY_BEFORE, read)), _compute_signals(asked, side, standing, read)
    )


def _compute_signals(
    asked: signals.FeatureTexts, side: signals.FeatureTexts, standing: Standing, read: dict[str, Read]
) -> tuple[float, ...]:
    def compute_cosine(one: str, other: str) -> float:
        return float(read[one].whole @ read[other].whole) if one.strip() and other.strip() else 0.0

    before = compute_cosine(asked.before[-1], side.before[-1]) if asked.before and side.before else 0.0
    return (
        compute_cosine(asked.question, side.question),
        compute_cosine(asked.question, side.answer),
        before,
        signals.compute_overlap(asked.question, side.question),
        signals.compute_overlap(asked.question, side.answer),
        *signals.standing_numbers(standing),
        float(bool(side.answer.strip())),
    )


def stack_vectors(name: str, rows: Sequence[Sequence[tuple[Vectors, int]]]) -> dict[str, npt.NDArray[np.generic]]:
    """Stack rows of vectors into one padded array, with segments and a mask."""
    length = max(sum(len(v) for v, _ in row) for row in rows)
    width = rows[0][0][0].shape[1]
    vectors = np.zeros((len(rows), length, width), np.float32)
    segments = np.zeros((len(rows), length), np.int64)
    mask = np.zeros((len(rows), length), np.bool_)
    for i, row in enumerate(rows):
        size = sum(len(v) for v, _ in row)
        vectors[i, :size] = np.concatenate([v for v, _ in row])
        segments[i, :size] = np.concatenate([np.full(len(v), s) for v, s in row])
        mask[i, :size] = True
    return {name: vectors, f"{name}_segments": segments, f"{name}_mask": mask}
