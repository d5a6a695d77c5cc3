"""Candidates are read beside their question; the best unit of a long section is what would be sent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from knowledge.embeddings.embedder import Embedder, ModelFiles
from knowledge.relevance.ranker import READ, Ranker
from knowledge.relevance.reader import ENTRY_TOKENS, PairEncoder, Reader, ReaderPair, Vectors
from knowledge.types import Candidate, Entry, Question, Utterance

LONG = "\n\n".join(
    [
        "Opening hours. " + "We are open from nine to five on every working day of the week. " * 8,
        "Dogs. " + "Dogs are welcome on the terrace but must be kept on a lead at all times. " * 8,
    ]
)


class Reads:
    """Likes what it is told to like, and remembers what it read."""

    def __init__(self, liked: str = "") -> None:
        self.liked = liked
        self.read: list[ReaderPair] = []

    def score(self, pairs: Sequence[ReaderPair]) -> Vectors:
        self.read += pairs
        return np.array([4.0 if self.liked and self.liked in pair.entry else -4.0 for pair in pairs], np.float32)


def entry(name: str, answer: str, title: str = "") -> Entry:
    return Entry(name, 1, "passage", (), answer, title=title or name)


def candidates(*entries: Entry, dense: float = 0.5) -> list[Candidate]:
    return [Candidate(e, dense - n / 100, 0.0) for n, e in enumerate(entries)]


def test_what_the_reader_holds_right_comes_first(embedder: Embedder) -> None:
    found = candidates(entry("parking", "Park behind the house."), entry("pets", "Dogs are welcome."))
    ranking = Ranker(Reads("Dogs"), embedder).rank(Question("t", "may I bring my dog"), ["may I bring my dog"], found)
    assert [r.entry.id for r in ranking.ranked] == ["pets", "parking"]
    assert 0 < ranking.first < 1
    assert sum(r.share for r in ranking.ranked) < 1


def test_of_a_long_section_the_nearest_unit_is_read_and_sent(embedder: Embedder) -> None:
    reads = Reads()
    (ranked,) = Ranker(reads, embedder).read(
        Question("t", "are dogs allowed"), ["are dogs allowed"], candidates(entry("house", LONG))
    )
    assert ranked.unit.startswith("Dogs.")
    assert reads.read[0].entry.startswith("house\nDogs.")


def test_the_turns_before_are_read_too(embedder: Embedder) -> None:
    reads = Reads()
    question = Question("t", "and a tandem?", (Utterance("customer", "What is a bike?"), Utterance("bot", "8 euros")))
    Ranker(reads, embedder).read(question, ["and a tandem?"], candidates(entry("a", "A tandem is 20 euros.")))
    assert reads.read[0].history == ("What is a bike?", "8 euros")


def test_entries_with_the_very_same_answer_are_one_and_not_everything_is_read(embedder: Embedder) -> None:
    reads = Reads()
    same = [entry(f"s{n}", "Two days.") for n in range(5)]
    others = [entry(f"o{n}", f"Answer {n}.") for n in range(20)]
    ranked = Ranker(reads, embedder).read(Question("t", "how long"), ["how long"], candidates(*same, *others))
    assert len(ranked) == len(reads.read) == READ
    assert sum(r.entry.answer == "Two days." for r in ranked) == 1


def test_without_candidates_nothing_is_probable(embedder: Embedder) -> None:
    ranking = Ranker(Reads(), embedder).rank(Question("t", "how long"), ["how long"], [])
    assert (ranking.ranked, ranking.first, ranking.known) == ((), 0.0, 0.0)


def test_the_shipped_reader_tells_an_answer_from_its_neighbour() -> None:
    asked = "can I get my money back if the lamp arrives broken"
    pairs = [
        ReaderPair(asked, (), "Damaged items\nIf something arrives broken we refund it or send a new one."),
        ReaderPair(asked, (), "Delivery\nDelivery takes two to four working days and costs 4.90."),
    ]
    right, wrong = Reader().score(pairs)
    assert right > wrong


@pytest.mark.parametrize("text", ["", "word " * 2000, "\U0001f600" * 300, "怎么退货？"])
def test_any_text_can_be_read(text: str) -> None:
    encoder = PairEncoder(ModelFiles.packaged().tokenizer)
    batch = encoder.encode_batch([ReaderPair(text, (text, text, text), text), ReaderPair("a", (), "b")])
    assert batch["ids"].shape == batch["mask"].shape
    assert batch["mask"].sum(axis=1).max() < 2 * ENTRY_TOKENS
    assert np.isfinite(Reader().score([ReaderPair(text, (text,), text)])).all()
