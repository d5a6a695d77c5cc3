"""What the reader learns from: natural questions with the section or entry that answers them, among its neighbours."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.public_data import read_rows
from knowledge.relevance.reader import ReaderPair, describe_entry

OURS = Path(__file__).parent / "data"
MEDICAL, MEDICAL_ROWS = "abachaa/MedQuAD", 300
HELD_CENTRES = (
    "parcels", "vetclinic", "pharmacy", "photocloud", "broadband", "ferry", "kitchenware", "cinema", "invoicing"
)  # fmt: skip
"""Fictional centres of ours that the reader is tried on and the bars are chosen with."""
MOST_SECTIONS = 200
"""Sections of one source that are used: those of documents that were asked about come first."""
HARD, NEAR = 8, 30
"""Negatives are drawn from so many of the nearest, and some from so many."""
SAME_ANSWER = 0.97
"""Cosine from which two sections say the same, so that neither is wrong beside the other."""
OWN_QUESTION_HIDDEN = 0.3
"""How often an entry is read without its own question, so that the reader learns to read answers."""
WITHOUT_GOLD = 0.1
"""How often the section that answers is left out, so that nothing does: more of "none of these", about what is known elsewhere."""
MISTYPED = 0.15
"""How often a question is read with typing errors."""
UNRELATED_HISTORY = 0.1
"""How often a question that stands alone is read after an exchange about something else."""
TOLD = 80
"""Characters of an answer in such an exchange."""
PLAIN = re.compile(r"(?:how do i|how can i|can i|can you|do you|is there|are there|does|is it)\b", re.IGNORECASE)
PLAIN_MISSES = 0.25
"""Share that is used of the misses that begin like this: written ones do so far oftener than what is answered, where they
do not each mirror the form of a question that is answered (``mirrored``)."""


class Embeds(Protocol):
    """Turns texts into unit vectors."""

    def embed(self, texts: list[str]) -> np.ndarray[Any, Any]:
        """One row a text."""


@dataclass(frozen=True)
class Section:
    """A section or FAQ entry of a help centre."""

    title: str
    question: str
    answer: str

    @property
    def text(self) -> str:
        """As it is read."""
        return describe_entry(self.title, self.question, self.answer)

    @property
    def bare(self) -> str:
        """The same without its own question."""
        return describe_entry(self.title, "", self.answer)


@dataclass(frozen=True)
class Asked:
    """A question; ``gold`` is the section's number in its pool, None where none of the pool answers."""

    text: str
    history: tuple[str, ...]
    gold: int | None
    near: int
    """The section that it was written beside."""
    is_heading: bool = False

    @property
    def with_history(self) -> str:
        """The turns before it and the question, as they are looked up together."""
        return " ".join((*self.history, self.text))


@dataclass
class Pool:
    """The sections of one source, and what is asked of it."""

    sections: list[Section] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    similarity: list[np.ndarray[Any, Any]] = field(default_factory=list)
    """For each question its cosine to each section."""
    same: np.ndarray[Any, Any] | None = None

    def prepare(self, embedder: Embeds) -> None:
        """Embed everything once."""
        whole = embedder.embed([s.text for s in self.sections])
        heads = embedder.embed([s.question or s.title for s in self.sections])
        self.same = (whole @ whole.T).astype(np.float16)
        alone = embedder.embed([a.text for a in self.asked])
        joined = embedder.embed([a.with_history for a in self.asked])
        for one, other, asked in zip(alone, joined, self.asked, strict=True):
            found = np.maximum(whole @ one, whole @ other)
            if not asked.is_heading:
                found = np.maximum(found, np.maximum(heads @ one, heads @ other))
            self.similarity.append(found.astype(np.float16))


@dataclass(frozen=True)
class Item:
    """One question with candidates; ``label`` 0 is "none of these", else the candidate's place counted from one."""

    pairs: tuple[ReaderPair, ...]
    cosines: tuple[float, ...]
    label: int


def read_sections(data: Path, part: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of help_sections by source; the sources of natural_questions' sections_dev are held back."""
    held = {row["source"] for row in read_rows(data / "natural_questions/sections_dev.jsonl")}
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in read_rows(data / "help_sections/train.jsonl"):
        if (row["source"] in held) == (part == "dev"):
            rows[row["source"]].append(row)
    if MEDICAL in rows:
        rows[MEDICAL] = rows[MEDICAL][:MEDICAL_ROWS]
    return rows


def section_pools(data: Path, part: str, headings: int = 0) -> list[Pool]:
    """One pool a source: natural questions, ours too, and ``headings`` of the sections' own headings as questions."""
    rows = read_sections(data, part)
    written = read_rows(data / f"natural_questions/sections_{part}.jsonl")
    written += read_rows(OURS / "sections.jsonl") if part == "train" else []
    rows = {
        source: _selected(own, {row["doc"] for row in written if row["source"] == source})
        for source, own in rows.items()
    }
    pools = {source: Pool([_section(row) for row in own]) for source, own in rows.items()}
    places = {source: _places(own) for source, own in rows.items()}
    for row in written:
        place = places.get(row["source"], {}).get(_key(row))
        if place is not None:
            pools[row["source"]].asked += _questions(row, place)
    rng = random.Random(1)
    every = [(source, i) for source, pool in pools.items() for i in range(len(pool.sections))]
    every = [e for e in every if rows[e[0]][e[1]]["kind"] == "faq" or rng.random() < 0.5]
    for source, i in rng.sample(every, min(headings, len(every))):
        pools[source].asked.append(Asked(pools[source].sections[i].question, (), i, i, is_heading=True))
    return [pool for pool in pools.values() if pool.asked]


def centre_pools(data: Path, part: str) -> list[Pool]:
    """One pool a fictional help centre; in training the entries' own questions are asked too."""
    rows = read_rows(data / f"natural_questions/centres_{part}.jsonl")
    rows += [row for row in read_rows(OURS / "centres.jsonl") if (row["centre"] in HELD_CENTRES) == (part == "dev")]
    more = [
        {(row["centre"], row["id"]): row for row in read_rows(OURS / name)}
        for name in ("contrasts.jsonl", "plain.jsonl")
    ]
    pools: dict[str, Pool] = defaultdict(Pool)
    for row in rows:
        pool = pools[row["centre"]]
        pool.sections.append(_section(row))
        own = len(pool.sections) - 1
        if part == "train":
            pool.asked.append(Asked(row["question"], (), own, own, is_heading=True))
        for asked in (row, *(rows_of.get((row["centre"], row["id"])) for rows_of in more)):
            pool.asked += _questions(asked, own) if asked else []
    return list(pools.values())


def draw_items(pools: Sequence[Pool], candidates: int, rng: random.Random) -> Iterator[Item]:
    """Every question once, in random order, each with hard negatives drawn anew."""
    order = [(pool, i) for pool in pools for i in range(len(pool.asked))]
    rng.shuffle(order)
    for pool, i in order:
        yield _item(pool, i, candidates, rng)


def nearest(pool: Pool, i: int, count: int) -> list[int]:
    """The sections nearest to a question."""
    return [int(place) for place in np.argsort(-pool.similarity[i].astype(np.float32))[:count]]


def _item(pool: Pool, i: int, candidates: int, rng: random.Random) -> Item:
    asked = pool.asked[i]
    ranked = [place for place in nearest(pool, i, NEAR) if not _is_same(pool, place, asked.gold)]
    hard, rest = ranked[:HARD], ranked[HARD:]
    gold = asked.gold if rng.random() >= WITHOUT_GOLD else None
    wanted = candidates - (gold is not None)
    chosen = rng.sample(hard, min(len(hard), wanted - 1))
    left = [place for place in hard + rest if place not in chosen]
    chosen += rng.sample(left, min(len(left), wanted - len(chosen)))
    if asked.gold is None and asked.near not in chosen and chosen:
        chosen[0] = asked.near
    if gold is not None:
        chosen.append(gold)
    rng.shuffle(chosen)
    hidden = asked.is_heading or rng.random() < OWN_QUESTION_HIDDEN
    texts = [pool.sections[p].bare if hidden else pool.sections[p].text for p in chosen]
    cosines = tuple(float(pool.similarity[i][p]) for p in chosen)
    history = asked.history or (_unrelated(pool, asked, rng) if rng.random() < UNRELATED_HISTORY else ())
    question = _mistyped(asked.text, rng) if rng.random() < MISTYPED else asked.text
    pairs = tuple(ReaderPair(question, history, text) for text in texts)
    return Item(pairs, cosines, chosen.index(gold) + 1 if gold is not None else 0)


def _mistyped(text: str, rng: random.Random) -> str:
    """With up to two letters left out, doubled or in the wrong order."""
    letters = list(text)
    for _ in range(rng.choice((1, 1, 2))):
        inner = [i for i in range(1, len(letters) - 1) if all(c.isalpha() for c in letters[i - 1 : i + 2])]
        if not inner:
            break
        i = rng.choice(inner)
        letters[i : i + 2] = rng.choice(
            (letters[i + 1 : i + 2], [letters[i], *letters[i : i + 2]], letters[i : i + 2][::-1])
        )
    return "".join(letters)


def _unrelated(pool: Pool, asked: Asked, rng: random.Random) -> tuple[str, ...]:
    other = rng.choice(pool.asked)
    if other.history or other.near == asked.near:
        return ()
    return (other.text, pool.sections[other.near].answer[:TOLD])


def _is_same(pool: Pool, place: int, gold: int | None) -> bool:
    return gold is not None and pool.same is not None and float(pool.same[place, gold]) >= SAME_ANSWER


def _questions(row: dict[str, Any], place: int) -> list[Asked]:
    misses = row.get("miss") or []
    misses = [misses] if isinstance(misses, str) else misses
    rng = random.Random(row["question"] if "question" in row else row["id"])
    if not row.get("mirrored"):
        misses = [text for text in misses if not PLAIN.match(text) or rng.random() < PLAIN_MISSES]
    follow = row.get("follow")
    found = [Asked(text, (), place, place) for text in row["q"]]
    found += [Asked(text, (), None, place) for text in misses]
    if follow and follow.get("q"):
        found.append(Asked(follow["q"], tuple(follow["history"]), place, place))
    return found


def _section(row: dict[str, Any]) -> Section:
    title = " > ".join(row["headings"]) if "headings" in row else row.get("title", "")
    return Section(title, row["question"], row["answer"])


def _places(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, ...], int]:
    places: dict[tuple[str, ...], int] = {}
    for i, row in enumerate(rows):
        for key in ((row["doc"], row["question"]), (row["doc"], row["question"], _digest(row))):
            places.setdefault(key, i)
    return places


def _selected(rows: list[dict[str, Any]], asked_about: set[str]) -> list[dict[str, Any]]:
    first = [row for row in rows if row["doc"] in asked_about]
    rest = [row for row in rows if row["doc"] not in asked_about]
    return first + rest[: max(0, MOST_SECTIONS - len(first))]


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    if "answer" in row:
        return (row["doc"], row["question"], _digest(row))
    return (row["doc"], row["question"], row["section"]) if row.get("section") else (row["doc"], row["question"])


def _digest(row: dict[str, Any]) -> str:
    return sha1(row["answer"][:60].encode(), usedforsecurity=False).hexdigest()
