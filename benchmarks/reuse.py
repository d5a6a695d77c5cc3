"""`bench reuse`: are approved answers reused for new phrasings, and for the right ones only?

Askings of the reported half of four public sets, in random order and mixed with near misses, meet the shipped guards,
score and bound, first *cold* (no entry has any observation, nothing is learnt) and then as a *stream*: what nearly met
gets a second look, as a reviewer would give it from the labels, and widens its entry when that says yes; of the reused, one in
three is judged, as by a thumb. Beside them: one cosine threshold, the best that one can have, chosen on the reported half itself.
The pairs of `near_misses.jsonl` are asked both ways: an entry with one side alone, asked for the other, must not be reused.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Result, at_least, at_most
from benchmarks.reuse_worlds import Ask, World, worlds
from core.feedback.settings import Learning
from knowledge.answers.decision import retrieve_shortlist
from knowledge.answers.reuse.bound import Experience, JudgedUse, ReuseBound
from knowledge.answers.reuse.contrast_guards import find_difference
from knowledge.answers.reuse.decision import EmptyBook, KnownPhrasing, Reuse, ReuseDecision
from knowledge.answers.reuse.score import Closeness
from knowledge.embeddings.cached import CachedEmbedder
from knowledge.embeddings.embedder import Embedder
from knowledge.index.entry_vectors import TextEmbedder
from knowledge.relevance.matcher import Match, TrainedMatcher
from knowledge.types import Entry, Question
from testing.in_memory_answers import InMemoryRetriever

PAIRS = Path(__file__).with_name("near_misses.jsonl")
ERROR = 0.02
"""What the operator allows: the default."""
LEARNT_EVERY = 20
THUMBS = 3
"""One in so many of the reused is judged."""
SEED = 11
SHARES = (0.01, 0.02, 0.05)


@dataclass
class Memory(EmptyBook):
    """What is observed in one run."""

    error: float = ERROR
    judged: dict[str, list[JudgedUse]] = field(default_factory=lambda: defaultdict(list))
    scores: list[float] = field(default_factory=list)
    experience: Experience = field(default_factory=Experience)
    new: int = 0

    def known(self, tenant_id: str, entry_id: str) -> KnownPhrasing:  # noqa: ARG002
        """The allowed error, and what was judged."""
        return KnownPhrasing(Learning(reuse_error=self.error), self.judged[entry_id], self.experience)

    def note(self, question: Question, entry_id: str, decision: ReuseDecision) -> None:  # noqa: ARG002
        """Its score."""
        self.scores.append(decision.score)

    def judge(self, entry_id: str, seen: JudgedUse) -> None:
        """Somebody says whether it was right; now and then the tenant's curve is learnt anew."""
        self.judged[entry_id].append(seen)
        self.new += 1
        if self.new % LEARNT_EVERY == 0:
            all_ = [each for some in self.judged.values() for each in some]
            self.experience = Experience.of(all_, self.scores)


@dataclass(frozen=True)
class Met:
    """An asking with what became of it."""

    world: str
    reusable: bool
    decision: ReuseDecision
    right: bool
    """The best match is one of those that answer."""
    cosine: float
    guarded: bool


def run(data: Path) -> Result:
    """Own pairs, then the sets."""
    embedder = Embedder()
    remembering, matcher = CachedEmbedder(embedder, 20_000), TrainedMatcher(embedder)
    closeness, bound = Closeness(), ReuseBound.shipped()
    pairs = _pairs(remembering, matcher, closeness, bound)
    cold: list[Met] = []
    stream: list[Met] = []
    looks = 0
    for world in worlds(data):
        asks = [ask for ask in world.asks if ask.part == "report"]
        random.Random(SEED).shuffle(asks)
        cold += _met(world, asks, Reuse(closeness, bound, Memory()), remembering, matcher)
        memory = Memory()
        learning = Stream(world, Reuse(closeness, bound, memory), memory, remembering, matcher)
        stream += learning.run(asks)
        looks += learning.looks
    figures: dict[str, Any] = {
        "own pairs": pairs,
        "stream": _shares(stream) | {"second looks": looks},
        "cold": _shares(cold),
        "one cosine threshold at its best": {f"wrong <= {s:.0%}": _best_cosine(cold, s) for s in SHARES},
        "guards": _alarms(cold),
    }
    for name in dict.fromkeys(met.world for met in stream):
        figures[name] = {
            "stream": _line([met for met in stream if met.world == name]),
            "cold": _line([met for met in cold if met.world == name]),
        }
    found = figures["stream"]
    targets = [
        at_most("wrong among reused, % (stream)", found["wrong among reused %"], 1.0),
        at_most("its 95 % upper bound, %", found["95 % upper bound %"], 2.0),
        at_least("reused of the reusable askings, % (stream)", found["reused of reusable %"], 60.0),
        at_most("own opposite, number, unit, date, name and place pairs reused", pairs["wrong"], 0),
    ]
    return {"figures": figures, "targets": targets}


class Stream:
    """Asks one after the other, and learns from what a reviewer and thumbs would say."""

    def __init__(
        self, world: World, reuse: Reuse, memory: Memory, embedder: CachedEmbedder, matcher: TrainedMatcher
    ) -> None:
        self._world, self._reuse, self._memory, self._matcher = world.name, reuse, memory, matcher
        self._retriever = InMemoryRetriever(world.entries, TextEmbedder(embedder))
        self._thumbs = random.Random(SEED)
        self.looks = 0

    def run(self, asks: Iterable[Ask]) -> list[Met]:
        """All of them."""
        found = []
        for ask in asks:
            met, match = _one(self._world, ask, self._reuse, self._retriever, self._matcher)
            found.append(met)
            entry = match.candidate.entry
            seen = JudgedUse(met.decision.score, met.right)
            if met.decision.verdict == "verbatim" and self._thumbs.randrange(THUMBS) == 0:
                self._memory.judge(entry.id, seen)
            if met.decision.verdict == "near":
                self.looks += 1
                self._memory.judge(entry.id, seen)
                if met.right:
                    self._retriever.put(replace(entry, questions=(*entry.questions, ask.question.text)))
        return found


def _met(
    world: World, asks: Iterable[Ask], reuse: Reuse, embedder: CachedEmbedder, matcher: TrainedMatcher
) -> list[Met]:
    retriever = InMemoryRetriever(world.entries, TextEmbedder(embedder))
    return [_one(world.name, ask, reuse, retriever, matcher)[0] for ask in asks]


def _one(
    world: str, ask: Ask, reuse: Reuse, retriever: InMemoryRetriever, matcher: TrainedMatcher
) -> tuple[Met, Match]:
    ranked = matcher.ranked(ask.question, retrieve_shortlist(ask.question, retriever))
    best, decision = ranked[0], reuse.decide(ask.question, ranked)
    entry = best.candidate.entry
    own = (best.phrasing, *entry.questions)
    guarded = find_difference(ask.question.text, own, entry.language, entry.subject) is not None
    return Met(world, bool(ask.right), decision, entry.id in ask.right, best.alignment.near, guarded), best


def _pairs(
    embedder: CachedEmbedder, matcher: TrainedMatcher, closeness: Closeness, bound: ReuseBound
) -> dict[str, Any]:
    """How many are reused, by kind; with a bound so low that the guards alone decide, and with the shipped one."""
    rows = [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]
    asked = [(r["kind"], r["phrasing"], r["asked"]) for r in rows]
    asked += [(r["kind"], r["asked"], r["phrasing"]) for r in rows if r["kind"] != "language"]
    reuse = Reuse(closeness, bound, Memory())
    wrong, unguarded = Counter[str](), Counter[str]()
    for kind, phrasing, text in asked:
        entry = Entry("one", 1, "faq", (phrasing,), "The answer.")
        question = Question("pairs", text)
        ranked = matcher.ranked(
            question, retrieve_shortlist(question, InMemoryRetriever([entry], TextEmbedder(embedder)))
        )
        wrong[kind] += reuse.decide(question, ranked).verdict == "verbatim"
        unguarded[kind] += find_difference(text, [phrasing]) is None
    kinds = Counter(kind for kind, _, _ in asked)
    return {
        "pairs": len(rows),
        "asked": len(asked),
        "wrong": sum(wrong.values()),
        "stopped by guards alone": len(asked) - sum(unguarded.values()),
        "by kind": {k: f"{n} asked, {n - unguarded[k]} stopped by guards, {wrong[k]} reused" for k, n in kinds.items()},
    }


def _shares(met: Sequence[Met]) -> dict[str, float]:
    reused = [m for m in met if m.decision.verdict == "verbatim"]
    right, reusable = sum(m.right for m in reused), sum(m.reusable for m in met)
    wrong = len(reused) - right
    return {
        "askings": len(met),
        "reusable": reusable,
        "reused": len(reused),
        "wrong": wrong,
        "wrong among reused %": 100 * wrong / max(len(reused), 1),
        "95 % upper bound %": 100 * upper(wrong, len(reused)),
        "reused of reusable %": 100 * right / max(reusable, 1),
    }


def _line(met: Sequence[Met]) -> str:
    s = _shares(met)
    return f"{s['reused of reusable %']:.1f} % of {s['reusable']} reusable, wrong {s['wrong']} of {s['reused']}"


def _alarms(met: Sequence[Met]) -> dict[str, str]:
    """How often a guard stops a match that is right, and one that is wrong."""
    right, wrong = [m.guarded for m in met if m.right], [m.guarded for m in met if not m.right]
    return {
        "false alarms on right matches": f"{sum(right)} of {len(right)} ({100 * np.mean(right):.1f} %)",
        "stopped among wrong matches": f"{sum(wrong)} of {len(wrong)} ({100 * np.mean(wrong):.1f} %)",
    }


def _best_cosine(met: Sequence[Met], share: float) -> str:
    """The most that one threshold reuses while at most this share is wrong, by looking at the answers."""
    ranked = sorted(met, key=lambda m: -m.cosine)
    right, best = 0, (0, 0)
    for count, m in enumerate(ranked, start=1):
        right += m.right
        best = (right, count) if count - right <= share * count else best
    reusable = sum(m.reusable for m in met)
    return f"{100 * best[0] / reusable:.1f} % of reusable, wrong {best[1] - best[0]} of {best[1]}"


def upper(wrong: int, total: int) -> float:
    """The 95 % upper bound of a share (one-sided, exact: Clopper and Pearson), by bisection."""
    if total == 0:
        return 1.0
    low, high = wrong / total, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(wrong, total, middle) > 0.05 else (low, middle)
    return high


def _at_most(wrong: int, total: int, share: float) -> float:
    """The chance of so few or fewer."""
    terms, term = 0.0, (1 - share) ** total
    for k in range(wrong + 1):
        terms += term
        term *= (total - k) / (k + 1) * share / max(1 - share, 1e-300)
    return terms
