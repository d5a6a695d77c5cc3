"""The trained grounding head: features of a sentence and its evidence, and their probability of support."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from knowledge.relevance.extract import sentences_of
from knowledge.text.facts import (
    Facts,
    extract_facts,
    extract_proper_names,
    is_content,
    split_tokens,
    stem_token,
    strip_markup,
)
from knowledge.types import Embeds

WEIGHTS = Path(__file__).parents[2] / "weights" / "grounding.json"
NEAREST = 4
"""Number of evidence sentences compared by meaning: those that share the most words."""
FEATURES = ("covered", "best", "pairs", "cosine", "numbers", "names", "negation", "asked", "length", "unknown")


@dataclass(frozen=True)
class Evidence:
    """The evidence, preprocessed for comparison with sentences."""

    facts: Facts
    sentences: tuple[str, ...]
    stems: tuple[frozenset[str], ...]
    pairs: frozenset[tuple[str, str]]
    negated: tuple[bool, ...]
    raw: frozenset[str]
    """Stems of all words, including stop words."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> Evidence:
        """Parse the evidence; cached for all sentences of an answer."""
        return _parse_evidence(tuple(texts))


@lru_cache(64)
def _parse_evidence(texts: tuple[str, ...]) -> Evidence:
    found = tuple(s for text in texts for s in sentences_of(text))
    read = [extract_facts(s) for s in found]
    return Evidence(
        extract_facts("\n".join(texts)),
        found,
        tuple(f.words for f in read),
        frozenset(pair for s in found for pair in pairwise(_list_content_stems(s))),
        tuple(f.negated for f in read),
        frozenset(stem_token(w) for text in texts for w in split_tokens(text)),
    )


def _list_content_stems(text: str) -> list[str]:
    return [stem_token(w) for w in split_tokens(strip_markup(text)) if is_content(w)]


def compute_head_features(sentence: str, evidence: Evidence, asked: Facts, embedder: Embeds | None) -> list[float]:
    """Return the head's features in the order of ``FEATURES``."""
    said = extract_facts(sentence)
    count = len(said.words) or 1
    shares = [len(said.words & stems) / count for stems in evidence.stems] or [0.0]
    best = max(range(len(shares)), key=shares.__getitem__)
    pairs = list(pairwise(_list_content_stems(sentence)))
    unknown = said.words - evidence.facts.words
    strange = [n for n in extract_proper_names(sentence) if stem_token(n) not in evidence.raw]
    return [
        len(said.words & evidence.facts.words) / count,
        shares[best],
        sum(p in evidence.pairs for p in pairs) / (len(pairs) or 1),
        _compute_best_cosine(sentence, evidence, shares, embedder),
        float(bool(said.numbers - evidence.facts.numbers)),
        float(bool(strange)),
        float(bool(evidence.negated) and said.negated != evidence.negated[best]),
        len(unknown & asked.words) / count,
        math.log1p(count),
        math.log1p(len(unknown)),
    ]


def _compute_best_cosine(sentence: str, evidence: Evidence, shares: list[float], embedder: Embeds | None) -> float:
    if embedder is None or not evidence.sentences:
        return 0.0
    near = sorted(range(len(shares)), key=shares.__getitem__, reverse=True)[:NEAREST]
    vectors = embedder.embed([strip_markup(sentence), *(evidence.sentences[i] for i in near)])
    return float(np.max(vectors[1:] @ vectors[0]))


@dataclass(frozen=True)
class Head:
    """Logistic regression over the features; a variant without the cosine serves streamed answers."""

    weights: dict[str, tuple[float, ...]]
    """For "whole" and "coming": the bias, then one weight for each of ``FEATURES``."""
    thresholds: dict[str, float]

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> Head:
        read = json.loads(path.read_text(encoding="utf-8"))
        return cls({k: tuple(v) for k, v in read["weights"].items()}, read["thresholds"])

    def probability(self, measured: Sequence[float], kind: str = "whole") -> float:
        """Return the probability that the sentence is supported, 0 to 1."""
        bias, *weights = self.weights[kind]
        return 1 / (1 + math.exp(-(bias + sum(w * m for w, m in zip(weights, measured, strict=True)))))
