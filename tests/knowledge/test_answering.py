"""What the customer gets: the approved answer, an extract with its source, or honestly nothing."""

from __future__ import annotations

import pytest

from knowledge.answers.decision import Answering
from knowledge.embeddings.embedder import Embedder
from knowledge.types import Answer, Entry, Question, Source, Utterance
from testing.in_memory_answers import make_answering_in_memory

HELP = Source("Help centre", "https://shop.example/help")
ENTRIES = (
    Entry(
        "delivery", 3, "faq", ("How much is delivery?", "What does shipping cost?"), "Delivery is 4.90.", source=HELP
    ),
    Entry("sale", 1, "faq", ("Can I return a sale item?",), "Yes, within 14 days."),
    Entry("on", 1, "faq", ("How do I turn on order e-mails?",), "Account, then E-mails, then On."),
    Entry("acorn", 1, "faq", ("Is there free wifi?",), "Yes, it is free.", subject="Acorn Guest House"),
    Entry("lovell", 1, "faq", ("Is there free wifi?",), "No, it costs 5.", subject="Lovell Lodge"),
    Entry(
        "wool",
        2,
        "passage",
        (),
        "Our throws are woven in Wales. Wash wool throws by hand in cold water. Dry them flat, away from the sun.",
        title="Caring for wool",
        source=Source("Caring for wool", "https://shop.example/wool"),
    ),
)


@pytest.fixture(scope="module")
def answering(embedder: Embedder) -> Answering:
    return make_answering_in_memory(ENTRIES, embedder)


def ask(answering: Answering, text: str, *before: str) -> Answer:
    return answering.answer(Question("t", text, tuple(Utterance("bot", said) for said in before)))


def used(answer: Answer) -> list[str]:
    return [entry.id for entry in answer.entries]


def test_an_approved_answer_comes_word_for_word(answering: Answering) -> None:
    answer = ask(answering, "how much is delivery")
    assert answer.outcome == "answered"
    assert answer.parts[0].text == "Delivery is 4.90."
    assert (used(answer), answer.entries[0].version, answer.sources) == (["delivery"], 3, (HELP,))
    assert answer.confidence == 1.0


def test_other_words_find_it_too(answering: Answering) -> None:
    assert used(ask(answering, "What do you charge for shipping?")) == ["delivery"]


def test_what_nobody_approved_is_unknown(answering: Answering) -> None:
    answer = ask(answering, "Do you sell gift cards for the theatre?")
    assert (answer.outcome, answer.entries, answer.confidence) == ("unknown", (), 0.0)


def test_each_part_is_answered_and_the_rest_is_said_honestly(answering: Answering) -> None:
    answer = ask(answering, "How much is delivery and do you sell bicycles?")
    assert [(part.question, part.outcome) for part in answer.parts] == [
        ("How much is delivery", "answered"),
        ("do you sell bicycles?", "unknown"),
    ]
    assert answer.outcome == "answered"


def test_two_parts_are_both_answered(answering: Answering) -> None:
    assert used(ask(answering, "How much is delivery and can I return a sale item?")) == ["delivery", "sale"]


def test_the_opposite_is_not_served(answering: Answering) -> None:
    assert ask(answering, "How do I turn off order e-mails?").parts[0].text == ""


def test_the_conversation_decides_which_hotel(answering: Answering) -> None:
    assert used(ask(answering, "Is there free wifi?", "I booked the Acorn Guest House.")) == ["acorn"]
    assert used(ask(answering, "Do they have free wifi?", "I booked the Lovell Lodge.")) == ["lovell"]


def test_another_hotel_is_not_answered_for(answering: Answering) -> None:
    assert ask(answering, "Is there free wifi?", "How about the Golden Palace?").outcome == "unknown"


def test_a_document_is_quoted_with_its_source(answering: Answering) -> None:
    answer = ask(answering, "How do I wash a wool throw?")
    assert "by hand in cold water" in answer.parts[0].text
    assert answer.sources == (Source("Caring for wool", "https://shop.example/wool"),)


@pytest.mark.parametrize(
    "text", ["", "   ", "???", "\U0001f600\U0001f600", "\u202e", "x" * 20_000, '{"a": 1}', "/restart"]
)
def test_odd_input_is_unknown(answering: Answering, text: str) -> None:
    assert ask(answering, text).outcome == "unknown"


def test_an_empty_knowledge_base_knows_nothing(embedder: Embedder) -> None:
    empty = make_answering_in_memory([], embedder)
    assert ask(empty, "How much is delivery?").outcome == "unknown"


def test_time_is_accounted(answering: Answering) -> None:
    answer = ask(answering, "What does postage cost?")
    assert answer.retrieval_ms > 0
    assert answer.generation_ms > 0


def test_a_question_that_another_thing_is_asked_of_is_no_answer_to_it(answering: Answering) -> None:
    (part,) = ask(answering, "Who is the president of France?").parts
    assert (part.outcome, part.choices) == ("unknown", ())


def test_a_new_question_is_not_taken_for_the_old_topic(answering: Answering) -> None:
    before = (Utterance("customer", "How much is delivery?"), Utterance("bot", "Delivery is 4.90."))
    answer = answering.answer(Question("t", "Do you employ any carpenters at all?", before))
    assert answer.outcome != "answered"


def test_neither_of_two_answers_that_contradict_is_sent_as_sure(embedder: Embedder) -> None:
    sides = [
        Entry(f"t{price}", 1, "faq", ("What does a day ticket cost?",), f"It costs {price} euros.", disputed=True)
        for price in (8, 11)
    ]
    for text in ("What does a day ticket cost?", "how much is a day ticket"):
        (part,) = ask(make_answering_in_memory(sides, embedder), text).parts
        assert (part.outcome, part.disputed) == ("suggested", True)
        assert "8 euros" in part.text and "11 euros" in part.text


def test_the_same_answer_from_two_sources_is_one(embedder: Embedder) -> None:
    twins = [Entry(f"t{n}", 1, "faq", ("What does a ticket cost?",), "It costs 8 euros.") for n in range(2)]
    answer = ask(make_answering_in_memory(twins, embedder), "What does a ticket cost?")
    assert (answer.outcome, answer.parts[0].text, answer.parts[0].exact) == ("answered", "It costs 8 euros.", True)


def test_a_heading_asked_word_for_word_gets_its_section(answering: Answering) -> None:
    answer = ask(answering, "caring for wool")
    assert (answer.outcome, used(answer)) == ("answered", ["wool"])


def test_what_answers_two_parts_is_sent_once(answering: Answering) -> None:
    answer = ask(answering, "How much is delivery and what does shipping cost?")
    assert [part.text for part in answer.parts] == ["Delivery is 4.90."]


def test_equal_questions_are_not_sent_as_sure_and_told_apart_by_their_articles(embedder: Embedder) -> None:
    ways = [
        Entry(place, 1, "faq", ("How do I unsubscribe?",), text, source=Source(place))
        for place, text in (("Letters", "Write to us."), ("Newsletter FAQ", "Click the link in each mail."))
    ]
    (part,) = ask(make_answering_in_memory(ways, embedder), "How do I unsubscribe?").parts
    assert part.outcome in ("suggested", "clarified")
    shown = {choice.title.partition(" (")[2] for choice in part.choices} | {f"{s.title})" for s in part.sources}
    assert shown == {"Letters)", "Newsletter FAQ)"}


def test_an_answer_about_storing_is_not_sent_as_sure_to_who_asks_about_filling(embedder: Embedder) -> None:
    pens = [
        Entry("store", 1, "faq", ("How do I store the pen?",), "Upright with the nib up."),
        Entry("nib", 1, "faq", ("What does a nib cost?",), "A nib costs 35."),
    ]
    assert ask(make_answering_in_memory(pens, embedder), "How do I fill my pen?").outcome != "answered"


def test_what_was_just_said_is_not_said_again_to_another_question(embedder: Embedder) -> None:
    cards = [
        Entry("valid", 1, "faq", ("How long is a gift card valid?",), "Gift cards are valid for 24 months."),
        Entry("left", 1, "faq", ("How do I see what is left on my gift card?",), "Enter its number below our website."),
        Entry("sofa", 1, "faq", ("How heavy is the sofa?",), "It weighs 60 kg."),
    ]
    answering = make_answering_in_memory(cards, embedder)
    answer = ask(answering, "and where do I see what is still on it?", "Gift cards are valid for 24 months.")
    assert used(answer) == ["left"]
    alone = make_answering_in_memory(cards[:1], embedder)
    answer = ask(alone, "how long was that?", "Gift cards are valid for 24 months.")
    assert answer.outcome in {"suggested", "clarified", "unknown"}


def test_a_known_question_that_asks_two_things_is_not_taken_apart(embedder: Embedder) -> None:
    data = [
        Entry("data", 1, "faq", ("How is data collected and how is it processed?",), "In logs, once a day."),
        Entry("logs", 1, "faq", ("How is it processed?",), "By machines."),
    ]
    answer = ask(make_answering_in_memory(data, embedder), "how is data collected and how is it processed")
    assert [(part.outcome, part.text) for part in answer.parts] == [("answered", "In logs, once a day.")]


def test_what_the_answer_sent_already_gives_is_not_said_to_be_open(embedder: Embedder) -> None:
    entries = [
        Entry("course", 1, "faq", ("When is the laser course?",), "Every first Monday at 18:00; it costs 40 EUR."),
        Entry("invoice", 1, "faq", ("Where do I find my invoices?",), "Under Account. Enter your VAT number there."),
        Entry("delivery", 1, "faq", ("How much is delivery?",), "It costs 5 EUR."),
    ]
    answering = make_answering_in_memory(entries, embedder)
    for text, open_parts in (
        ("When is the laser course and how much?", 0),
        ("Where do I find my invoices and how do I get my VAT number on there?", 0),
        ("How much is delivery and how long?", 1),
    ):
        answer = ask(answering, text)
        assert answer.parts[0].outcome == "answered"
        assert sum(not part.text for part in answer.parts) == open_parts, text


def test_a_word_that_says_something_else_gets_no_answer_again(embedder: Embedder) -> None:
    pool = Entry("pool", 1, "faq", ("Is there a swimming pool?",), "Yes, the pool on the roof is open until 8 pm.")
    answering = make_answering_in_memory([pool], embedder)
    before = (Utterance("customer", "is there a pool?"), Utterance("bot", pool.answer))
    assert answering.answer(Question("t", "zorgle", before)).outcome == "unknown"
    assert used(answering.answer(Question("t", "until when?", before))) == ["pool"]
