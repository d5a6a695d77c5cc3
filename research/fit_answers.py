"""Fits the calibration and the bars of the ranking: `python -m research.fit_answers DATA`.

What is fitted on: the tuned help centres and the tuning half of the demo's questions, each imported as in the product, and
the held-back parts of natural_questions (fictional centres and sections that the reader did not train on). What is not English, where the
reader does not read, has a calibration of its own, with the same bars.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.answers import offline
from benchmarks.answers.score import Case, Reply, facts_met, shows
from benchmarks.answers.worlds import (
    DEMO,
    LANGUAGES_REPORTED,
    LANGUAGES_TUNED,
    TUNED,
    World,
    demo_world,
    help_centres,
    language_worlds,
)
from knowledge.answers.decision import build_search_texts, title_of
from knowledge.embeddings.cached import CachedEmbedder
from knowledge.embeddings.embedder import Embedder
from knowledge.embeddings.multilingual import MultilingualEmbedder
from knowledge.index.entry_vectors import TextEmbedder
from knowledge.relevance.bars import Bars
from knowledge.relevance.ranker import READ, Calibration, Ranked, Ranker, Ranking, signs_of
from knowledge.relevance.reader import SHIPPED, Reader
from knowledge.types import Entry, Question, Utterance
from research.reader_rows import Pool, centre_pools, section_pools
from testing.in_memory_answers import InMemoryRetriever

Numbers = npt.NDArray[np.float64]
FOREIGN = (*LANGUAGES_TUNED, *LANGUAGES_REPORTED)
RETRIEVED = 40
OFFERED = 3
ASKED_OF_POOL = 40
NEWTON_STEPS = 20
LEAST_SPREAD = 1e-4
"""Standard deviation below which a sign says nothing: what the reader says where it does not read."""
DECAY = 1.0
"""Weight of the penalty on the squared weights."""
SHARES = (0.01, 0.02, 0.03, 0.05, 0.08)
"""Shares of questions answered surely and wrongly for which bars are chosen."""
DEFAULT = 0.02
SHOWN_KEPT = 0.84
"""Share of answerable questions that must still get the right entry, or have it offered."""
FOREIGN_KEPT = 0.62
"""The same where the entries are not English, of which four in five are found at all."""
BARS = np.arange(0.3, 1.0, 0.005)
HEDGED = 0.2
"""Probability of being right from which the first one is shown rather than a list."""


@dataclass(frozen=True)
class Row:
    """One question: the signs of its ranking; whether the first, one of those listed, one of those beside it, or any answers."""

    source: str
    signs: Numbers
    first: bool
    listed: bool
    beside: bool
    known: bool
    tuned: bool


def main() -> None:
    """Collect, fit, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=SHIPPED / "ranking.json")
    parser.add_argument("--rows", type=Path, help="keep what was collected, or take it from there")
    options = parser.parse_args()
    every = _collected(options.data, options.rows)
    rows = [row for row in every if row.source not in FOREIGN]
    foreign = [row for row in every if row.source in FOREIGN]
    weights = {"first": fit(rows, "first"), "known": fit(rows, "known")}
    weights_of_foreign = {"first": fit(foreign, "first"), "known": fit(foreign, "known")}
    foreign_bar = asking_bar([row for row in foreign if row.tuned], weights_of_foreign, FOREIGN_KEPT)
    chosen = {share: {**own, "clarified_foreign": foreign_bar} for share, own in bars(rows, weights).items()}
    stored = {**weights, "foreign": weights_of_foreign, "wrong": DEFAULT, "bars": chosen}
    options.out.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    print_table(rows, weights, Bars(**chosen[f"{DEFAULT:g}"]))
    print_table(foreign, weights_of_foreign, replace(Bars(**chosen[f"{DEFAULT:g}"]), clarified=foreign_bar))


def _collected(data: Path, kept: Path | None) -> list[Row]:
    if kept and kept.is_file():
        stored = np.load(kept, allow_pickle=True)
        return list(stored["rows"])
    rows = list(collect(data))
    if kept:
        np.savez(kept, rows=np.array(rows, dtype=object))
    return rows


def collect(data: Path) -> Iterator[Row]:
    """Every question that may be tuned on."""
    embedder, multilingual = CachedEmbedder(Embedder(threads=2)), MultilingualEmbedder()
    ranker = Ranker(Reader(), embedder)
    worlds = [demo_world(), *help_centres(data), *language_worlds()]
    with offline.opened(worlds) as knowledge:
        for world in worlds:
            for case in world.cases:
                yield from _of_case(world, case, knowledge, ranker)
    for name, pools in (("centres", centre_pools(data, "dev")), ("sections", section_pools(data, "dev"))):
        for pool in pools:
            yield from _of_pool(name, pool, TextEmbedder(embedder, multilingual), ranker)


def _of_case(world: World, case: Case, knowledge: offline.Offline, ranker: Ranker) -> Iterator[Row]:
    question = offline.question_of(world.name, case)
    texts = build_search_texts(question)
    ranked = ranker.read(question, texts, knowledge.retriever.candidates(world.name, texts, RETRIEVED))
    if not ranked:
        return
    right = [_is_right(case, r) for r in ranked]
    shown = [right[0] or _shows(case, r) for r in ranked]
    part = world.part(case) == "tuned"
    listed, beside = any(shown[:OFFERED]), any(shown[: OFFERED + 1])
    yield Row(world.name, signs_of(question, ranked), right[0], listed, beside, case.expects_answer, part)


def _is_right(case: Case, ranked: Ranked) -> bool:
    met, never = facts_met(case, ranked.unit)
    return case.expects_answer and met == len(case.facts) and not never


def _shows(case: Case, ranked: Ranked) -> bool:
    return case.expects_answer and (
        shows(case, Reply("", "clarified", (title_of(ranked.entry),))) or _is_right(case, ranked)
    )


def _of_pool(name: str, pool: Pool, embedder: TextEmbedder, ranker: Ranker) -> Iterator[Row]:
    entries = [_entry(i, s.title, s.question, s.answer) for i, s in enumerate(pool.sections)]
    retriever = InMemoryRetriever(entries, embedder)
    for asked in pool.asked[:: max(1, len(pool.asked) // ASKED_OF_POOL)]:
        turns = tuple(Utterance("bot" if i % 2 else "customer", text) for i, text in enumerate(asked.history))
        question = Question("", asked.text, turns)
        texts = build_search_texts(question)
        ranked = ranker.read(question, texts, retriever.candidates("", texts, RETRIEVED))
        found = [asked.gold is not None and r.entry.id == str(asked.gold) for r in ranked]
        listed, beside = any(found[:OFFERED]), any(found[: OFFERED + 1])
        yield Row(name, signs_of(question, ranked), found[0], listed, beside, asked.gold is not None, True)


def _entry(number: int, title: str, question: str, answer: str) -> Entry:
    if question.endswith("?"):
        return Entry(str(number), 1, "faq", (question,), answer, title=title)
    return Entry(str(number), 1, "passage", (), answer, title=" > ".join(filter(None, (title, question))))


def fit(rows: Sequence[Row], label: str) -> dict[str, Any]:
    """A logistic regression over standardised signs."""
    tuned = [row for row in rows if row.tuned]
    signs, wanted = np.stack([r.signs for r in tuned]), np.array([getattr(r, label) for r in tuned], dtype=float)
    counts = {s: sum(r.source == s for r in tuned) for s in {r.source for r in tuned}}
    weight = np.array([1 / counts[r.source] for r in tuned])
    weight *= len(tuned) / weight.sum()
    mean, scale = signs.mean(0), np.where(signs.std(0) > LEAST_SPREAD, signs.std(0), 1.0)
    standard = np.clip((signs - mean) / scale, -4, 4)

    values = _solved(np.column_stack([standard, np.ones(len(tuned))]), wanted, weight)
    named = {"mean": mean, "scale": scale, "weights": values[:-1]}
    return {
        **{name: [round(float(n), 5) for n in numbers] for name, numbers in named.items()},
        "bias": float(values[-1]),
    }


def _solved(signs: Numbers, wanted: Numbers, weight: Numbers) -> Numbers:
    """Newton's method for a penalised logistic regression; the last column is the bias, which is not penalised."""
    penalty = np.diag([2 * DECAY] * (signs.shape[1] - 1) + [1e-9])
    values = np.zeros(signs.shape[1])
    for _ in range(NEWTON_STEPS):
        said = 1 / (1 + np.exp(-signs @ values))
        slope = signs.T @ (weight * (said - wanted)) + penalty @ values
        curve = (signs * (weight * said * (1 - said))[:, None]).T @ signs + penalty
        values -= np.linalg.solve(curve, slope)
    return values


def bars(rows: Sequence[Row], weights: dict[str, Any]) -> dict[str, dict[str, float]]:
    """For each share of questions answered surely and wrongly the lowest bar that keeps it, over real help centres.

    It is asked back from as high a bar as still shows the right entry to most who ask what is answered.
    """
    tuned = [row for row in rows if row.tuned and row.source in {DEMO, *TUNED}]
    first, _ = probabilities(tuned, weights)
    source, right = np.array([r.source for r in tuned]), np.array([r.first for r in tuned])
    ask = asking_bar(tuned, weights, SHOWN_KEPT)
    everything = np.ones(len(tuned), dtype=np.bool_)
    found = {}
    for share in SHARES:
        sure = next(bar for bar in BARS if _mean_by_source(~right & (first >= bar), source, everything) <= share)
        found[f"{share:g}"] = {
            "answered": round(float(sure), 3),
            "suggested": HEDGED,
            "clarified": ask,
        }
    return found


def asking_bar(rows: Sequence[Row], weights: dict[str, Any], kept: float) -> float:
    """The highest bar for asking back that still shows the right entry to a share of those who ask what is answered."""
    first, known = probabilities(rows, weights)
    source, answerable = np.array([r.source for r in rows]), np.array([r.known for r in rows])
    shown = _shown(rows, first)
    bar = max(bar for bar in BARS if _mean_by_source(shown & (known >= bar), source, answerable) >= kept)
    return round(float(bar), 3)


def probabilities(rows: Sequence[Row], weights: dict[str, Any]) -> tuple[Numbers, Numbers]:
    """That the first one answers, and that any entry does."""
    first, known = Calibration.of(weights["first"]), Calibration.of(weights["known"])
    firsts = np.array([first.probability(r.signs) for r in rows])
    return firsts, np.maximum(firsts, [known.probability(r.signs) for r in rows])


def _shown(rows: Sequence[Row], first: Numbers) -> npt.NDArray[np.bool_]:
    """Is the right entry there: in a list, or first or beside a likely answer?"""
    return np.array([r.beside if p >= HEDGED else r.listed for r, p in zip(rows, first, strict=True)])


def _mean_by_source(found: npt.NDArray[np.bool_], source: npt.NDArray[Any], among: npt.NDArray[np.bool_]) -> float:
    return float(np.mean([found[among & (source == s)].mean() for s in set(source) if (among & (source == s)).any()]))


def print_table(rows: Sequence[Row], weights: dict[str, Any], chosen: Bars) -> None:
    """What the bars would give, by source."""
    print("source (tuned?)       n  right  shown  sure&wrong | unanswerable: unknown  sure   among first:", READ)
    for source, tuned in sorted({(r.source, r.tuned) for r in rows}):
        own = [r for r in rows if (r.source, r.tuned) == (source, tuned)]
        first, known = probabilities(own, weights)
        outcome = [chosen.outcome(Ranking((), f, a)) for f, a in zip(first, known, strict=True)]
        given = np.array([o in ("answered", "suggested") for o in outcome])
        sure, unknown = np.array([o == "answered" for o in outcome]), np.array([o == "unknown" for o in outcome])
        right, shown = np.array([r.first for r in own]), _shown(own, first)
        yes = np.array([r.known for r in own])
        row = [
            (right & given)[yes],
            (shown & ~unknown)[yes],
            (sure & ~right)[yes],
            unknown[~yes],
            sure[~yes],
            right[yes],
        ]
        print(
            f"{source:10} {tuned!s:6} {len(own):5}",
            *(f"{100 * r.mean() if r.size else float('nan'):7.1f}" for r in row),
        )
    first, _ = probabilities(rows, weights)
    for low in np.arange(0, 1, 0.1):
        here = [r.first for r, p in zip(rows, first, strict=True) if low <= p < low + 0.1]
        print(f"  said {low:.1f}-{low + 0.1:.1f}: {np.mean(here) if here else float('nan'):.2f} of {len(here)}")


if __name__ == "__main__":
    main()
