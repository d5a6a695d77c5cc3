"""Everything the training looks up again and again: read texts, nearness, and which candidates a question meets."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.relevance.matcher import MatchPair, Read, asked_parts, build_pair, build_text_reading, stack_vectors
from knowledge.text import features, topic
from knowledge.types import Entry
from research.examples import Asked, World

LIFT = {"same": 0.15, "older": 0.02, "other": -0.06, "unnamed": 0.0, "general": 0.0}
LEFT_OUT = 0.2
"""How often the answer, or the turns before, are not shown; half as often the entry's question."""
LOOKED_AT = 40
"""Entries nearest in meaning whose subject is looked at."""

Batch = dict[str, npt.NDArray[np.generic]]


class Reader:
    """Reads each text once; every text fits in memory at half precision."""

    def __init__(self, tokens: object) -> None:
        self._tokens = tokens
        self.read: dict[str, Read] = {}

    def add(self, texts: Sequence[str]) -> None:
        """Read what is new."""
        new = sorted({t for t in texts if t.strip() and t not in self.read}, key=len)
        self.read.update(zip(new, map(build_text_reading, self._tokens.token_vectors(new)), strict=True))  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Shelf:
    """One drawing of a world: the entries that are there this time, with their questions' vectors."""

    documents: list[str]
    entries: list[Entry]
    texts: list[features.FeatureTexts]
    vectors: npt.NDArray[np.float32]


def drawn(world: World, reader: Reader, share: float) -> Shelf:
    """One entry each for a share of the documents."""
    chosen = [(d, random.choice(own)) for d, own in world.entries.items() if random.random() < share]
    entries = [entry for _, entry in chosen]
    texts = [features.entry_texts(e, e.questions[0], e.answer) for e in entries]
    reader.add([t for side in texts for t in (side.question, side.answer, *side.before)])
    return Shelf([d for d, _ in chosen], entries, texts, np.stack([reader.read[t.question].whole for t in texts]))


def candidates(asked: Asked, shelf: Shelf, reader: Reader, count: int) -> list[int]:
    """The entries a question meets, as retrieval and shortlist would have it; its own wording is no candidate."""
    reader.add([asked.question.text])
    near = shelf.vectors @ reader.read[asked.question.text].whole
    nearest = [int(i) for i in np.argsort(-near)[:LOOKED_AT] if shelf.entries[i].questions[0] != asked.question.text]
    subjects = subjects_of_entries([shelf.entries[i] for i in nearest])

    def worth(i: int) -> float:
        entry = shelf.entries[i]
        shared = features.compute_overlap(asked.question.text, entry.questions[0])
        return (
            float(near[i]) + 0.25 * shared + LIFT[topic.get_subject_standing(entry.subject, asked.question, subjects)]
        )

    found = sorted(nearest, key=worth, reverse=True)[:count]
    return (found * count)[:count]


def subjects_of_entries(entries: Sequence[Entry]) -> list[str]:
    """The different subjects of some entries."""
    return list(dict.fromkeys(e.subject for e in entries if e.subject))


def batch(items: Sequence[tuple[Asked, list[int], Shelf]], reader: Reader) -> Batch:
    """What the network reads for some questions with their candidates; parts are left out now and then."""
    fronts, pairs = [], []
    for asked, found, shelf in items:
        own = _pairs(asked, found, shelf, reader)
        pairs += [pair for pair, _ in own]
        fronts += [front for _, front in own]
    feed = stack_vectors("asked", fronts) | stack_vectors("entry", [pair.parts for pair in pairs])
    return feed | {"signals": np.array([pair.signals for pair in pairs], dtype=np.float32)}


def _pairs(asked: Asked, found: list[int], shelf: Shelf, reader: Reader) -> list[tuple[MatchPair, tuple]]:  # type: ignore[type-arg]
    entries = [shelf.entries[i] for i in found]
    subjects = subjects_of_entries(entries)
    side = features.asked_texts(asked.question, subjects)
    without_answer, without_before = random.random() < LEFT_OUT, random.random() < LEFT_OUT
    without_question = not without_answer and bool(entries[0].answer) and random.random() < LEFT_OUT / 2
    side = features.FeatureTexts(side.question, "", () if without_before else side.before)
    reader.add([side.question, *side.before])
    front = asked_parts(side, reader.read)
    made = []
    for i, entry in zip(found, entries, strict=True):
        own = shelf.texts[i]
        question = "" if without_question else own.question
        answer = "" if without_answer else own.answer
        left = features.FeatureTexts(question, answer, () if without_before else own.before)
        made.append(
            (
                build_pair(
                    side, left, topic.get_subject_standing(entry.subject, asked.question, subjects), reader.read
                ),
                front,
            )
        )
    return made
