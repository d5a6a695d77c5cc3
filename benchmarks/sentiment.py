"""`bench sentiment`: how messages sound, by our model and by VADER, on tweets and Roman Urdu that neither was trained on.

*Reported*: the half of each set by a hash of the text that was not looked at while the model was made; `angry` counts as negative there, since
the sets have three labels. VADER is read as its authors say: compound from 0.05 on positive, from -0.05 down negative.

*Angry conversations*: of 160 conversations of `twacs_airlines` we marked those in whose first two customer messages somebody is angry at the
airline (``angry_conversations.txt``; one reader, before the model was asked). *Flagged* as a handoff is: a message found angry, or two negative
ones in a row. VADER beside it, at a compound of -0.5 in one of the two. False alarms: flagged of the others. ``angry_conversations_dev.txt`` are
others, marked alike: with the half that is not reported they chose how sure the model has to be.

*Our sentences*: in Urdu script and Roman Urdu (``urdu_feelings.txt``), written before the model was trained, by who wrote what it learns from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from benchmarks.public_data import read_rows
from benchmarks.report import Goal, Result, at_least, at_most
from knowledge.embeddings.embedder import Embedder
from knowledge.sentiment import features
from knowledge.sentiment.model import CALM, SentimentModel, is_latin

SETS = {
    "airline tweets": "sentiment/airline_train.jsonl",
    "TweetEval": "sentiment/tweeteval_sentiment_val.jsonl",
    "Roman Urdu": "urdu/roman_urdu_sentiment_train.jsonl",
}
LABELS = ("negative", "neutral", "positive")
READ, FIRST = 160, 2
ANGRY = Path(__file__).parent / "angry_conversations.txt"
URDU = Path(__file__).parent / "urdu_feelings.txt"
STRONG = 0.5
TIMED = 300

Feels = Callable[[str], str]


def run(data: Path) -> Result:
    """Both on all sets."""
    embedder = Embedder()
    model, vader = SentimentModel(embedder), SentimentIntensityAnalyzer()

    def theirs(text: str) -> str:
        compound = vader.polarity_scores(text)["compound"]
        return "positive" if compound >= features.SHOWS else "negative" if compound <= -features.SHOWS else "neutral"

    figures: dict[str, Any] = {name: _both(data / path, model.feeling, theirs) for name, path in SETS.items()}
    said = _conversations(data / "twacs_airlines/labelled.jsonl")
    angry = {line for line in ANGRY.read_text().split("\n") if line and not line.startswith("#")}
    figures["angry conversations"] = {
        "ours": _flagged(said, angry, lambda texts: _steps_back([model.feeling(text) for text in texts])),
        "VADER": _flagged(
            said, angry, lambda texts: any(vader.polarity_scores(text)["compound"] <= -STRONG for text in texts)
        ),
    }
    figures["our sentences"] = _ours(model.feeling)
    timed = [text for texts in said.values() for text in texts][:TIMED]
    figures["ms a message"] = _milliseconds(model, timed)
    figures["ms of its embedding"] = _milliseconds(
        lambda text: embedder.embed([features.remove_addresses(text)]), timed, "again"
    )
    return {
        "figures": figures,
        "targets": _targets(figures),
        "notes": ["half of each set; nothing of them trained anything"],
    }


def _both(path: Path, ours: Feels, theirs: Feels) -> dict[str, dict[str, float]]:
    rows = [row for row in read_rows(path) if is_reported(row["text"])]
    labels = [row["label"] for row in rows]
    found = {"ours": ours, "VADER": theirs}
    return {name: _figures(labels, [feels(row["text"]) for row in rows]) for name, feels in found.items()}


def is_reported(text: str) -> bool:
    """The half that was not looked at."""
    return sha256(text.encode()).digest()[0] % 2 == 1


def _figures(labels: Sequence[str], said: Sequence[str]) -> dict[str, float]:
    coarse = ["negative" if each == "angry" else each for each in said]
    scores = [_f1(labels, coarse, each) for each in LABELS]
    negative = [found for label, found in zip(labels, coarse, strict=True) if label == "negative"]
    called = [label for label, found in zip(labels, coarse, strict=True) if found == "negative"]
    return {
        "messages": len(labels),
        "macro F1": round(sum(scores) / len(scores), 3),
        "recall of negative": round(negative.count("negative") / len(negative), 3),
        "precision of negative": round(called.count("negative") / (len(called) or 1), 3),
        "called angry": round(said.count("angry") / len(said), 3),
    }


def _f1(labels: Sequence[str], said: Sequence[str], label: str) -> float:
    both = sum(a == b == label for a, b in zip(labels, said, strict=True))
    return 2 * both / ((labels.count(label) + said.count(label)) or 1)


def _conversations(path: Path) -> dict[str, list[str]]:
    """The first messages of the customer, by conversation."""
    rows = sorted(read_rows(path), key=lambda row: sha256(row["conversation_id"].encode()).hexdigest())[:READ]
    return {
        row["conversation_id"]: [t["text"] for t in row["turns"] if t["speaker"] == "customer"][:FIRST] for row in rows
    }


def _steps_back(feelings: Sequence[str]) -> bool:
    return "angry" in feelings or feelings == ["negative"] * FIRST


def _flagged(said: dict[str, list[str]], angry: set[str], flags: Callable[[list[str]], bool]) -> dict[str, float]:
    flagged = {name for name, texts in said.items() if flags(texts)}
    others = said.keys() - angry
    return {
        "angry": len(angry),
        "flagged of them": round(len(flagged & angry) / len(angry), 3),
        "others": len(others),
        "false alarms": round(len(flagged & others) / len(others), 3),
    }


def sentences() -> list[tuple[str, str]]:
    """Our sentences in Urdu and Roman Urdu, each with how it sounds."""
    parts = [part.splitlines() for part in URDU.read_text(encoding="utf-8").split("# ") if part]
    return [(text, feeling) for feeling, *texts in parts for text in texts]


def _ours(feels: Feels) -> dict[str, float]:
    found = [(is_latin(text), feeling, feels(text)) for text, feeling in sentences()]
    calm = [said in CALM for _, feeling, said in found if feeling in CALM]
    upset = [said not in CALM for _, feeling, said in found if feeling not in CALM]
    return {
        **{
            f"{name}: right": round(_share([feeling == said for own, feeling, said in found if own == latin]), 3)
            for name, latin in (("Roman Urdu", True), ("Urdu script", False))
        },
        "upset ones called upset": round(_share(upset), 3),
        "calm ones called calm": round(_share(calm), 3),
        "sentences": len(found),
    }


def _share(right: Sequence[bool]) -> float:
    return sum(right) / len(right)


def _milliseconds(run: Callable[[str], object], texts: Sequence[str], suffix: str = "") -> float:
    """The median; each text is new to the embedding's memory."""
    times = []
    for number, text in enumerate(texts):
        started = perf_counter()
        run(f"{text} {number} {suffix}")
        times.append((perf_counter() - started) * 1000)
    return round(median(times), 1)


def _targets(figures: dict[str, Any]) -> list[Goal]:
    targets = []
    for name in SETS:
        mine, theirs = figures[name]["ours"], figures[name]["VADER"]
        better = mine["macro F1"] - theirs["macro F1"]
        targets.append(at_least(f"macro F1 on {name}, points above VADER", round(better, 3), 0))
        targets.append(at_least(f"recall of negative on {name}", mine["recall of negative"], 0.7))
    caught = figures["angry conversations"]["ours"]
    return [
        *targets,
        at_least("angry conversations flagged within two messages", caught["flagged of them"], 0.8),
        at_most("false alarms among the others", caught["false alarms"], 0.1),
        at_most("ms a message", figures["ms a message"], 10),
    ]
