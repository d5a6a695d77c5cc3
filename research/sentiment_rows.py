"""What the sentiment model learns from: messages that we wrote, rated words, and texts of free sets."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from core.sentiment import Feeling
from research import moods

MOODS = (
    ("en", 1, 24),
    ("ur_latn", 1, 24),
    ("ur", 1, 24),
    ("en_messages", 3, 6),
    ("ur_latn_messages", 3, 6),
    ("ur_messages", 3, 6),
)
"""A file of ours, how much a wording of it weighs, and how many wordings of a line are taken."""
STRONG, WEAK = 0.5, 0.1
"""VADER's compound value above which an ordinary text shows a feeling, and below which it shows none."""
RATED = 1.2
"""Of -4 to 4, from which on a word shows a feeling by itself."""
_CARRIERS = {
    "en": ("{}", "it was {}", "so {}", "this is {} really", "I am {}", "what a {} day", "feeling {} about this"),
}
_INSULTS = ("you {}", "{}", "what a {} company", "you are all {}")
_LEFT_OUT = frozenset(("xd", "x-d"))


@dataclass(frozen=True)
class Row:
    """A text, how it sounds, how much it weighs."""

    text: str
    feeling: Feeling
    weight: float
    unrated: bool = False
    """VADER told how it sounds, so what VADER says of it is left out of its marks."""


def written(rng: random.Random) -> Iterator[Row]:
    """Our own messages, alone, shouted, and before or after a plain one."""
    for name, weight, most in MOODS:
        found = [(f, w) for f, line in moods.lines(name) for w in moods.wordings(line, most, rng)]
        plain = [text for feeling, text in found if feeling == "neutral"]
        for feeling, text in found:
            yield Row(text, feeling, weight)
            yield from (Row(each, sounds, weight / 2) for each, sounds in _louder(text, feeling, rng))
            other = rng.choice(plain)
            yield Row(rng.choice((f"{text}. {other}", f"{other}. {text}", f"{other} {text}")), feeling, weight / 2)


def _louder(text: str, feeling: Feeling, rng: random.Random) -> Iterator[tuple[str, Feeling]]:
    """A complaint that is shouted sounds angry; nothing else changes by being shouted."""
    if rng.random() < 0.5:
        yield f"{text}{rng.choice(('.', '!', '...'))}".capitalize(), feeling
    if rng.random() < 0.3:
        yield f"{text}{rng.choice(('!!!', '!!!!', '??!!'))}", "angry" if feeling == "negative" else feeling
    if rng.random() < 0.2 and text.isascii():
        yield f"{text.upper()}{rng.choice(('', '!', '!!!'))}", "angry" if feeling == "negative" else feeling


def rated_words(rng: random.Random) -> Iterator[Row]:
    """VADER's words (MIT) with people's ratings, alone and in a short sentence; every other one without what VADER says."""
    for word, value in SentimentIntensityAnalyzer().lexicon.items():
        if abs(value) < RATED or word in _LEFT_OUT:
            continue
        feeling: Feeling = "positive" if value > 0 else "negative"
        for carrier in ("{}", *rng.sample(_CARRIERS["en"][1:], 2 if word.isalpha() else 0)):
            yield Row(carrier.format(word), feeling, min(abs(value), 3) / 6, unrated=rng.random() < 0.5)
        if word.isalpha() and value > 0:
            yield Row(f"not {word}", "negative", 0.2, unrated=rng.random() < 0.5)


def abuse(data: Path, rng: random.Random) -> Iterator[Row]:
    """Abusive Roman Urdu beside the rest of the set (RUHSOLD, MIT), and English swear words (LDNOOBW, CC BY 4.0)."""
    for row in _rows(data / "profanity/roman_urdu_train.jsonl"):
        yield Row(row["text"], "angry" if row["label"] == "offensive" else "neutral", 0.05)
    for word in (data / "profanity/ldnoobw_en.txt").read_text().split("\n"):
        if word.strip():
            yield Row(rng.choice(_INSULTS).format(word.strip()), "angry", 0.3)


def ordinary(data: Path, rng: random.Random) -> Iterator[Row]:
    """What people ask of banks, shops and assistants: VADER says where a feeling shows, the doubtful is left out."""
    vader = SentimentIntensityAnalyzer()
    for text, chat in _plain(data):
        compound = vader.polarity_scores(text)["compound"]
        if abs(compound) < WEAK:
            if rng.random() < (1 if chat else 0.3):
                yield Row(text, "neutral", 0.25, unrated=True)
        elif chat and abs(compound) > STRONG:
            yield Row(text, "positive" if compound > 0 else "negative", 0.2, unrated=True)


def _plain(data: Path) -> Iterator[tuple[str, bool]]:
    for row in _rows(data / "abcd/labelled_utterances.jsonl"):
        if row["role"] == "customer":
            yield row["text"], True
    for name in ("banking77/train", "clinc150/train", "hwu64/train", "nlupp/banking_train", "nlupp/hotels_train"):
        yield from ((row["text"], False) for row in _rows(data / f"{name}.jsonl"))
    for row in _rows(data / "dstc_knowledge/queries_full_dialogue.jsonl"):
        yield from ((turn["text"], True) for turn in row["turns"][-3:] if turn["speaker"] == "user")


def _rows(path: Path) -> Iterator[dict]:  # type: ignore[type-arg]
    return (json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line)
