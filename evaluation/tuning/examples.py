"""Training examples for fine-tuning: phrasings of the same entry, with the entry most easily confused with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evaluation.tuning.pairs import Phrased
from knowledge.imports.chunker import strip_markdown
from knowledge.types import Embeds

FILES = ("phrasings.jsonl", "answers.jsonl")
ANSWER_CHARACTERS = 400
SAME_ANSWER = 0.9
"""Minimum similarity at which two answers count as the same; such entries are not used as negatives."""
LOOKED_AT = 20


@dataclass(frozen=True)
class TuningExample:
    """A triplet: training moves ``anchor`` closer to ``positive`` and away from ``negative``."""

    anchor: str
    positive: str
    negative: str


@dataclass(frozen=True)
class Examples:
    """Triplets of phrasings, and triplets of questions with answers."""

    phrasings: list[TuningExample]
    answers: list[TuningExample]

    def write(self, folder: Path) -> None:
        """Write the files that `fine_tune` reads."""
        for name, rows in zip(FILES, (self.phrasings, self.answers), strict=True):
            lines = (json.dumps(vars(row), ensure_ascii=False) + "\n" for row in rows)
            (folder / name).write_text("".join(lines), encoding="utf-8")


def delete_examples(folder: Path) -> None:
    """Delete the training files, so that customer texts do not stay with the model."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)


def mine_examples(phrased: Sequence[Phrased], embedder: Embeds) -> Examples:
    """Mine triplets from the entries that are not held back; the current model finds the closest entry with another answer.

    All triplets of an entry have the same positive. A batch without duplicates therefore never uses an entry as its own
    negative.
    """
    taught = [one for one in phrased if one.entry.questions and not one.held_back]
    heads = [one.named(one.entry.questions[0]) for one in taught]
    bodies = [strip_markdown(one.entry.answer)[:ANSWER_CHARACTERS] for one in taught]
    head_vectors, body_vectors = embedder.embed(heads), embedder.embed(bodies)
    asked = [(place, one.named(text)) for place, one in enumerate(taught) for text in one.phrasings]
    phrasings, answers = [], []
    for (place, text), vector in zip(asked, embedder.embed([text for _, text in asked]), strict=True):
        other = _find_hard_negative(place, vector, taught, head_vectors, body_vectors)
        if other is None:
            continue
        if text != heads[place]:
            phrasings.append(TuningExample(text, heads[place], heads[other]))
        else:
            answers.append(TuningExample(text, bodies[place], bodies[other]))
    return Examples(phrasings, answers)


def _find_hard_negative(
    place: int,
    asked: npt.NDArray[np.float32],
    taught: Sequence[Phrased],
    heads: npt.NDArray[np.float32],
    bodies: npt.NDArray[np.float32],
) -> int | None:
    """Return the closest entry with another answer."""
    for other in np.argsort(-(heads @ asked))[:LOOKED_AT].tolist():
        same = (
            taught[other].answer_key == taught[place].answer_key or float(bodies[other] @ bodies[place]) >= SAME_ANSWER
        )
        if other != place and not same:
            return int(other)
    return None
