"""What is learnt from, what is held back, and when two models differ."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from core.db import Database
from core.db.models import RegressionCase, ReuseObservation
from core.errors import InvalidInput
from evaluation.tuning import examples, pairs
from evaluation.tuning.measures import Ranks, compare_ranks, compute_ranks
from evaluation.tuning.pairs import Phrased
from knowledge.entries.content import Content
from knowledge.entries.editor import Change, EntryEditor
from knowledge.types import Entry
from tests.evaluation.tuning.doubles import Base, Tuned, phrasing, store

T = "shop"


def entry(name: str, *questions: str, answer: str = "", subject: str | None = None) -> Phrased:
    return Phrased(Entry(name, 1, "faq", questions, answer or f"answer {name}", subject))


def named(*, held_back: bool, count: int) -> list[str]:
    """Ids of entries that the fixed hash puts on one side."""
    return [i for i in map(str, range(1000)) if entry(i, "?").held_back == held_back][:count]


def test_phrasings_come_from_entries_corrections_and_what_was_confirmed(database: Database) -> None:
    first, second = store(database, T, topics=2)
    with database.session() as session:
        EntryEditor(session, T, Change("t", "t")).add(Content("faq", "Draft.", ("draft?",)), approved=False)
        seen = [("rightly reused", True), ("wrongly reused", False), ("nobody said", None), ("T0-0!", True)]
        seen += [("judged both ways", True), ("judged both ways", False)]
        session.add_all(
            ReuseObservation(tenant_id=T, entry_id=first, text=text, score=0.9, reused=True, correct=correct)
            for text, correct in seen
        )
        turns = [{"speaker": "customer", "text": "about the blue one"}]
        for text, active, context in (("corrected", True, []), ("undone", False, []), ("needs its talk", True, turns)):
            case = {"question": text, "answer": "a", "entry_id": second, "active": active, "context": context}
            session.add(RegressionCase(tenant_id=T, **case))
    with database.session() as session:
        read = {one.entry.id: one for one in pairs.load_phrased_entries(session, T)}
        assert pairs.load_phrased_entries(session, "another tenant") == []
    assert set(read) == {first, second}
    assert read[first].confirmed == ("rightly reused",)
    assert read[second].phrasings == (*(phrasing(1, way) for way in range(4)), "corrected")


def test_an_entry_stays_on_its_side_and_a_third_is_held_back() -> None:
    held_back = [entry(str(n), "?").held_back for n in range(2000)]
    assert 0.27 < np.mean(held_back) < 0.33
    assert held_back == [entry(str(n), "again?", "more?").held_back for n in range(2000)]


def test_too_few_pairs_and_too_few_held_back_entries() -> None:
    taught = [entry(i, *map(str, range(11))) for i in named(held_back=False, count=10)]
    held_back = [entry(i, "a", "b") for i in named(held_back=True, count=20)]
    pairs.require_enough_pairs([*taught, *held_back])
    with pytest.raises(InvalidInput, match="90 pairs"):
        pairs.require_enough_pairs([*taught[1:], *held_back])
    with pytest.raises(InvalidInput, match="19 held-back"):
        pairs.require_enough_pairs([*taught, *held_back[1:], entry(held_back[0].entry.id, "alone")])


def test_hard_negatives_are_near_and_answer_something_else() -> None:
    a, b, c, d = named(held_back=False, count=4)
    (kept_back,) = named(held_back=True, count=1)
    world = [
        entry(a, "reset my card", "card reset please", answer="Press the button."),
        entry(b, "reset my card pin", answer="press the BUTTON"),
        entry(c, "reset a card reader", answer="Hold it for ten seconds."),
        entry(d, "opening hours", answer="Nine to five.", subject="Leeds"),
        entry(kept_back, "reset my card now", answer="Held back."),
    ]
    mined = examples.mine_examples(world, Base())
    (phrased,) = mined.phrasings
    assert (phrased.anchor, phrased.positive, phrased.negative) == (
        "card reset please",
        "reset my card",
        "reset a card reader",
    )
    by_anchor = {one.anchor: one for one in mined.answers}
    assert by_anchor["reset my card"].negative == "Hold it for ten seconds."
    assert "opening hours Leeds" in by_anchor
    shown = {text for one in (*mined.phrasings, *mined.answers) for text in vars(one).values()}
    assert not {"reset my card now", "Held back."} & shown


def test_a_phrasing_is_asked_while_the_index_lacks_it() -> None:
    one, alone = named(held_back=True, count=2)
    world = [entry(one, "t1-0", "t1-1"), entry(alone, "t2-0"), entry("x", "t3-0")]
    found = compute_ranks(world, Base())
    assert len(found.ranks) == 2, "an entry with nothing left to be found by is not asked"
    assert compute_ranks(world, Tuned()).figures() == {"recall@1": 1.0, "recall@10": 1.0, "mrr": 1.0}


def test_an_entry_with_the_same_answer_is_as_right() -> None:
    one = named(held_back=True, count=1)[0]
    world = [entry(one, "t1-0", "t9-0", answer="Yes."), entry("twin", "t1-5", answer="yes")]
    assert compute_ranks(world, Tuned()).figures()["recall@1"] == 1.0


def test_better_needs_more_than_chance() -> None:
    entries = np.repeat(np.arange(40), 5)
    before = Ranks(np.tile([1, 2, 3, 1, 5], 40), entries)
    assert compare_ranks(before, before)[1] is not None
    assert compare_ranks(before, Ranks(np.ones(200, np.int64), entries))[1] is None
    figures, reason = compare_ranks(before, Ranks(np.where(entries == 7, 1, before.ranks), entries))
    assert reason is not None and "+0.000" in reason, "one entry's phrasings are not five proofs"
    assert figures["after"]["mrr"] > figures["before"]["mrr"]
    _, reason = compare_ranks(before, Ranks(before.ranks + 3, entries))
    assert reason is not None and "not better" in reason


def test_the_interval_is_the_same_each_time() -> None:
    entries = np.repeat(np.arange(30), 2)
    one, other = Ranks(np.tile([1, 3], 30), entries), Ranks(np.tile([2, 1], 30), entries)
    found = [compare_ranks(one, other)[0]["difference"] for _ in range(3)]
    assert all(a == b for a, b in pairwise(found))
