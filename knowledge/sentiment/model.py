"""A small sentiment model on the embedding, words and punctuation of a customer's message."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt
import structlog

from core.db.models.statuses import Feeling
from core.language import WORDS, language_of
from core.sentiment import Mood, Sentiment, skip_sentiment
from knowledge.sentiment import features, urgency
from knowledge.types import Embeds

log = structlog.get_logger()

WEIGHTS = Path(__file__).parents[1] / "weights/sentiment.npz"
"""Trained with ``research.train_sentiment`` for all-MiniLM-L6-v2."""
FEELINGS: tuple[Feeling, ...] = get_args(Feeling)
LONGEST = 2000
"""Maximum characters examined; the feeling shows within these."""
FOREIGN_WORDS = 2
"""Number of function words of another language that mark a text as foreign."""
LATIN = 0.5
"""Minimum share of Latin letters for the English embedding to be used."""

SURE = 0.55
"""Minimum probability of *angry*, and minimum sum of *negative* and *angry* for *negative*."""
WORDED = 0.3
"""Minimum probability of *negative* and *angry* by the words alone for *angry*."""
CALM: tuple[Feeling, ...] = ("positive", "neutral")
REPLIES = frozenset(
    [
        "yes",
        "no",
        "ok",
        "okay",
        "sure",
        "yes please",
        "no thanks",
        "no thank you",
        "nope",
        "nah",
        "stop",
        "cancel",
        "bye",
        "goodbye",
        "refund",
        "return",
        "help",
        "a person please",
        "a person",
        "agent",
        "human",
        "wait",
        "nothing",
        "none",
        "never mind",
        "nevermind",
        "not yet",
        "i don't know",
        "i do not know",
        "not sure",
        "haan",
        "han",
        "ji",
        "jee",
        "nahi",
        "nahin",
        "theek hai",
        "acha",
        "bas",
        "ruko",
        "ہاں",
        "جی",
        "نہیں",
        "ٹھیک ہے",
        "بس",
        "اچھا",
    ]
)
"""Short replies without sentiment, though their words occur in many complaints."""
_WORDS = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
_ANGRY_EMOJI = re.compile(
    r"(?<!\bthe )(?<!\ban )(?<!\ba )(?<!\bthis )(?<!\byour )(?<!\bmy )(?<!\bwith )[😠😡🤬👿💢🖕]", re.IGNORECASE
)
"""An emoji used, not mentioned as in "the 😡 cushion"."""

Scores = npt.NDArray[np.float32]


class SentimentModel:
    """Softmax regression; without a matching embedding, a variant on words and punctuation alone."""

    def __init__(self, embedder: Embeds | None, weights: Path = WEIGHTS) -> None:
        with np.load(weights) as stored:
            self._heads = {
                name: {part: stored[f"{name}_{part}"].astype(np.float32) for part in ("table", "marks", "bias")}
                for name in ("full", "words")
            }
            self._meaning = stored["full_meaning"].astype(np.float32)
        self._embedder = embedder

    def __call__(self, text: str, /) -> Mood | None:
        """Return the likeliest feeling and the urgency; None, logged, on any error."""
        try:
            feeling = self.feeling(text)
        except Exception:  # a model error must not block the message
            log.exception("no sentiment")
            return None
        return Mood(feeling, urgency.detect_urgency(text))

    def feeling(self, text: str) -> Feeling:
        """Return the feeling; *negative* or *angry* only if sure, since these can call an agent."""
        if _ANGRY_EMOJI.search(text[:LONGEST]) and not any(mark in text[:LONGEST] for mark in features.HAPPY):
            return "angry"
        words = _WORDS.findall(text.lower())
        if " ".join(words) in REPLIES or _is_foreign(text, words):
            return "neutral"
        odds = dict(zip(FEELINGS, self.probabilities(text).tolist(), strict=True))
        if odds["angry"] >= SURE and self._is_worded(text):
            return "angry"
        return "negative" if odds["negative"] + odds["angry"] >= SURE else max(CALM, key=odds.__getitem__)

    def probabilities(self, text: str) -> Scores:
        """Return the probability of each of ``FEELINGS``; they add up to 1."""
        text = text[:LONGEST]
        return self._compute_scores(text, self._embed_text(text))

    def _is_worded(self, text: str) -> bool:
        """Whether words and punctuation alone show it; a text about a boss or a fraud is angry by meaning only."""
        words = self._compute_scores(text[:LONGEST], None)
        return float(words[FEELINGS.index("negative")] + words[FEELINGS.index("angry")]) >= WORDED

    def _compute_scores(self, text: str, vector: Scores | None) -> Scores:
        head = self._heads["words" if vector is None else "full"]
        found = features.compute_feature_rows(text)
        scores = (
            head["table"][found].sum(axis=0) / np.sqrt(max(len(found), 1))
            + features.compute_mark_features(text) @ head["marks"]
        )
        if vector is not None:
            scores = scores + vector @ self._meaning
        odds = np.exp(scores + head["bias"] - (scores + head["bias"]).max())
        return np.asarray(odds / odds.sum(), dtype=np.float32)

    def _embed_text(self, text: str) -> Scores | None:
        if self._embedder is None or not is_latin(text):
            return None
        vector = self._embedder.embed([features.remove_addresses(text)])[0]
        return vector if vector.size == len(self._meaning) else None  # another embedding model has no weights


def _is_foreign(text: str, words: list[str]) -> bool:
    """Whether the text is in an unsupported language; Roman Urdu shares a function word with many languages."""
    small = WORDS.get(language_of(text), WORDS["en"])
    return small is not WORDS["en"] and len(small.intersection(words)) >= FOREIGN_WORDS


def load_sentiment(embedder: Embeds) -> Sentiment:
    """Load the sentiment model; if its weights cannot be read, log it and return a function that detects nothing."""
    try:
        return SentimentModel(embedder)
    except (OSError, ValueError, KeyError):
        log.exception("no sentiment: the weights cannot be read")
        return skip_sentiment


def is_latin(text: str) -> bool:
    """Whether the text is mostly in Latin script."""
    letters = [letter for letter in text if letter.isalpha()]
    return sum(letter < "ɐ" for letter in letters) >= LATIN * len(letters)
