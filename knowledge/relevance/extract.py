"""Extracts the sentences of a passage that answer a question."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from knowledge.text.features import content_words
from knowledge.types import Embeds

MOST_SENTENCES = 3
MOST_CHARACTERS = 400
NEAR_BEST = 0.8
"""Minimum share of the best sentence's score for a neighbour to be included."""

SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[^\W_a-z])|\n\s*\n|\n(?=\s*(?:[-*•]|\d+[.)])\s)")


def sentences_of(text: str) -> list[str]:
    """Return the sentences and list items of a passage, in order."""
    return [" ".join(piece.split()) for piece in SENTENCE_END.split(text) if piece and piece.strip()]


def sentence_scores(question: str, sentences: list[str], embedder: Embeds) -> npt.NDArray[np.float32]:
    """Score each sentence's nearness to the question: by meaning, then by shared words."""
    vectors = embedder.embed([question, *sentences])
    asked = content_words(question)
    shared = np.array([len(asked & content_words(s)) / (len(asked) or 1) for s in sentences], dtype=np.float32)
    return np.asarray(vectors[1:] @ vectors[0] + 0.25 * shared, dtype=np.float32)


def extract_best_sentences(question: str, passage: str, embedder: Embeds) -> str:
    """Return the best one to three neighbouring sentences of a passage, in order."""
    sentences = sentences_of(passage)
    if len(sentences) <= 1:
        return passage.strip()
    scores = sentence_scores(question, sentences, embedder)
    best = int(scores.argmax())
    first, last = _widen_selection(best, scores, sentences)
    return " ".join(sentences[first : last + 1])


def _widen_selection(best: int, scores: npt.NDArray[np.float32], sentences: list[str]) -> tuple[int, int]:
    first = last = best
    while last - first + 1 < MOST_SENTENCES:
        sides = [i for i in (first - 1, last + 1) if 0 <= i < len(sentences) and scores[i] >= NEAR_BEST * scores[best]]
        follow_on = last == best and best + 1 < len(sentences) and sentences[best].endswith(":")
        step = best + 1 if follow_on else max(sides, key=lambda i: scores[i], default=None)
        if step is None or _count_characters(sentences, min(first, step), max(last, step)) > MOST_CHARACTERS:
            break
        first, last = min(first, step), max(last, step)
    return first, last


def _count_characters(sentences: list[str], first: int, last: int) -> int:
    return sum(len(s) + 1 for s in sentences[first : last + 1])
