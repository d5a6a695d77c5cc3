"""Choosing the sentences of a passage."""

from __future__ import annotations

from knowledge.embeddings.embedder import Embedder
from knowledge.relevance.extract import MOST_CHARACTERS, extract_best_sentences, sentences_of

RETURNS = (
    "Our returns desk is in Leeds. You can return any item within 30 days of delivery. Refunds are paid to the original "
    "payment method within 5 working days. Gift cards cannot be returned."
)


def test_sentences_and_list_items_are_told_apart() -> None:
    assert sentences_of("One thing. Another costs 5.50 now!\n- first\n- second") == [
        "One thing.",
        "Another costs 5.50 now!",
        "- first",
        "- second",
    ]


def test_the_answering_sentence_is_chosen(embedder: Embedder) -> None:
    found = extract_best_sentences("How many days do I have to return something?", RETURNS, embedder)
    assert "within 30 days" in found
    assert "Leeds" not in found


def test_another_question_gets_another_sentence(embedder: Embedder) -> None:
    assert "5 working days" in extract_best_sentences("When is my refund paid?", RETURNS, embedder)


def test_a_short_passage_comes_whole(embedder: Embedder) -> None:
    assert extract_best_sentences("anything", " Just this. ", embedder) == "Just this."


def test_an_extract_is_short(embedder: Embedder) -> None:
    long = " ".join(f"Parcel number {n} is delivered within {n} days of the order." for n in range(40))
    assert len(extract_best_sentences("When is my parcel delivered?", long, embedder)) <= MOST_CHARACTERS
