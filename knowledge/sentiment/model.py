"""How a customer's message sounds: a small model of ours on its embedding, its words and its marks."""

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
"""Made by ``research.train_sentiment``; for all-MiniLM-L6-v2."""
FEELINGS: tuple[Feeling, ...] = get_args(Feeling)
LONGEST = 2000
"""Characters that are looked at: how somebody feels shows before that."""
FOREIGN_WORDS = 2
"""Small words of another language that show that a text is in it."""
LATIN = 0.5
"""Share of a text's letters that must be Latin for an English embedding to know it."""

SURE = 0.55
"""How probable *angry* has to be to be said, and *negative* and *angry* together for *negative*."""
WORDED = 0.3
"""How probable a negative or angry feeling has to be by the words alone for *angry* to be said."""
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
"""Short replies that say nothing of a feeling, though their words stand in many complaints."""
_WORDS = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
_ANGRY_EMOJI = re.compile(
    r"(?<!\bthe )(?<!\ban )(?<!\ba )(?<!\bthis )(?<!\byour )(?<!\bmy )(?<!\bwith )[😠😡🤬👿💢🖕]", re.IGNORECASE
)
"""Shown, rather than spoken of: "the 😡 cushion"."""

Scores = npt.NDArray[np.float32]


class SentimentModel:
    """A softmax regression; without an embedding that it knows, one on words and marks alone."""

    def __init__(self, embedder: Embeds | None, weights: Path = WEIGHTS) -> None:
        with np.load(weights) as stored:
            self._heads = {
                name: {part: stored[f"{name}_{part}"].astype(np.float32) for part in ("table", "marks", "bias")}
                for name in ("full", "words")
            }
            self._meaning = stored["full_meaning"].astype(np.float32)
        self._embedder = embedder

    def __call__(self, text: str, /) -> Mood | None:
        """The likeliest feeling and how urgent it is; None, logged, where it cannot be told."""
        try:
            feeling = self.feeling(text)
        except Exception:  # whatever is wrong with the model, the message goes its way
            log.exception("no sentiment")
            return None
        return Mood(feeling, urgency.detect_urgency(text))

    def feeling(self, text: str) -> Feeling:
        """The likeliest; negative or angry only where it is sure: an angry message calls a person, two negative ones do."""
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
        """Of each of ``FEELINGS``; they add up to 1."""
        text = text[:LONGEST]
        return self._compute_scores(text, self._embed_text(text))

    def _is_worded(self, text: str) -> bool:
        """Do its words and marks alone show anything of it? Of a boss or a fraud the meaning alone sounds angry."""
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
    """Is it in a language that the model has not learnt? Roman Urdu shares a small word with many."""
    small = WORDS.get(language_of(text), WORDS["en"])
    return small is not WORDS["en"] and len(small.intersection(words)) >= FOREIGN_WORDS


def load_sentiment(embedder: Embeds) -> Sentiment:
    """How messages sound; where its weights cannot be read nothing is known, and that is logged."""
    try:
        return SentimentModel(embedder)
    except (OSError, ValueError, KeyError):
        log.exception("no sentiment: the weights cannot be read")
        return skip_sentiment


def is_latin(text: str) -> bool:
    """Is it mostly written in Latin letters?"""
    letters = [letter for letter in text if letter.isalpha()]
    return sum(letter < "ɐ" for letter in letters) >= LATIN * len(letters)
