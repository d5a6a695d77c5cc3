"""Marks: the model numbers its evidence, the customer sees the sources in the order of citation."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from knowledge.answers.citations import Citations, list_cited_entries
from knowledge.types import Entry, Source

EVIDENCE = (
    Entry("a", 1, "passage", (), "A.", source=Source("Delivery")),
    Entry("b", 1, "faq", ("B?",), "B."),
    Entry("c", 1, "passage", (), "C.", source=Source("Returns")),
)


def test_numbers_follow_the_order_of_citation() -> None:
    citations = Citations()
    assert citations.rewritten("Send it back [3]. It takes two days [1].", EVIDENCE) == (
        "Send it back [1]. It takes two days [2]."
    )
    assert [source.title for source in citations.sources] == ["Returns", "Delivery"]


def test_a_mark_without_a_source_is_taken_out() -> None:
    assert Citations().rewritten("It is so [2], really [9].", EVIDENCE) == "It is so, really."


def test_a_second_text_goes_on_counting() -> None:
    citations = Citations()
    citations.number(Source("Sizes"))
    assert citations.rewritten("Two days [1].", EVIDENCE) == "Two days [2]."


def test_what_is_cited_is_named_once_in_order() -> None:
    assert [entry.id for entry in list_cited_entries("x [3] y [1] z [3] [7]", EVIDENCE)] == ["c", "a"]


@given(st.lists(st.integers(0, 40), max_size=8))
def test_pieces_of_any_size_give_the_same_text(cuts: list[int]) -> None:
    text = "A list[a] [1], an item [ 3] and [3]  [2]. [1"
    ends = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    rewriter = Citations().rewriter(EVIDENCE)
    streamed = "".join(rewriter.feed(text[a:b]) for a, b in itertools.pairwise(ends)) + rewriter.flush()
    assert streamed == Citations().rewritten(text, EVIDENCE)
