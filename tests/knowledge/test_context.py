"""What a turn is about: names, subjects, references to what was said before."""

from __future__ import annotations

import pytest

from knowledge.text import topic
from knowledge.text.names import mask_names, matches_name, names_in
from knowledge.types import Question, Utterance


def talk(*texts: str) -> tuple[Utterance, ...]:
    """Turns that end with the bot, or, for a whole conversation, with the agent."""
    speakers = ("customer", "bot")
    return tuple(Utterance(speakers[(i + len(texts)) % 2], text) for i, text in enumerate(texts))


def asked(text: str, *before: str) -> Question:
    return Question("t", text, talk(*before))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The acorn is in the north.", "Acorn Guest House"),
        ("I booked city roomz for you", "Cityroomz"),
        ("nando's does", "Nandos"),
        ("The University Arms is in the centre", "University Arms Hotel"),
    ],
)
def test_a_name_is_known_however_it_is_spelt(text: str, name: str) -> None:
    assert matches_name(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The train arrives in Cambridge at 9", "Cambridge Belfry"),
        ("A taxi from Vue Cinema to Curry Garden", "Curry Garden"),
        ("Is parking free?", "Perking Restaurant"),
        ("", "Acorn Guest House"),
    ],
)
def test_a_place_gone_to_or_a_like_word_is_no_name(text: str, name: str) -> None:
    assert not matches_name(text, name)


def test_names_leave_out_weekdays_addresses_and_sentence_starts() -> None:
    assert names_in("Great! I booked Prezzo on Friday at 17 Magdalene Street.") == ("Prezzo",)


def test_the_subject_is_named_some_turns_before() -> None:
    turns = talk("A cheap place?", "How about Golden Wok?", "Do they have parking?", "Yes, they do.")
    assert topic.subject_of(turns) == "Golden Wok"


def test_the_last_subject_wins() -> None:
    turns = talk(
        "And Pizza Hut?", "Pizza Hut is full.", "Then?", "I booked Golden Wok.", "Do they deliver?", "No, they do not."
    )
    assert topic.subject_of(turns) == "Golden Wok"


def test_a_service_is_a_subject_without_a_name() -> None:
    turns = talk(
        "To the University Arms please", "Your taxi comes at 9.", "Can I pay for the taxi by card?", "Yes, you can."
    )
    assert topic.subject_of(turns) == "taxi"


def test_an_ordinary_shop_question_has_no_subject() -> None:
    assert topic.subject_of(talk("Can I return a sale item?", "Yes, within 30 days.")) is None


def test_names_shared_by_conversations_are_found_without_capitals() -> None:
    named = talk("Is it quiet?", "Acorn Guest House is quiet.")
    again = talk("Any hotel?", "the acorn guest house is cheap.", "Is there wifi?", "Yes.")
    assert topic.subjects_of([named, named, again])[2] == "Acorn Guest House"


@pytest.mark.parametrize(
    ("question", "standing"),
    [
        (asked("Is parking free there?", "I recommend the Acorn Guest House."), "same"),
        (asked("Is parking free there?", "I recommend the Lovell Lodge."), "other"),
        (asked("Is parking free there?", "Acorn?", "Yes, Acorn House.", "Others?", "The Lovell Lodge."), "older"),
        (asked("Is parking free there?", "Booking was successful."), "unnamed"),
    ],
)
def test_standing_of_a_subject(question: Question, standing: str) -> None:
    assert topic.get_subject_standing("Acorn Guest House", question) == standing


def test_an_entry_without_subject_is_general() -> None:
    assert topic.get_subject_standing(None, asked("Is parking free?", "I recommend the Lovell Lodge.")) == "general"


def test_the_train_is_other_when_the_hotel_is_asked_about() -> None:
    assert topic.get_subject_standing("train", asked("Does the hotel have wifi?", "Your train is booked.")) == "other"


def test_a_pronoun_gets_the_name_said_last() -> None:
    assert (
        topic.resolve_references(asked("Do they have wifi?", "How about Golden Wok?"))
        == "Do they have wifi? Golden Wok"
    )


def test_a_fragment_gets_the_question_before() -> None:
    question = asked("And to France?", "How much is delivery to Spain?", "It is 9 euros.")
    assert topic.resolve_references(question) == "How much is delivery to Spain? And to France?"


def test_the_second_one_is_looked_up_in_what_was_offered() -> None:
    question = asked("and for the second one?", "What does it cost?", "We have:\n1. Wool throw\n2. Linen sheet\n3. Mug")
    assert "Linen sheet" in topic.resolve_references(question)
    assert "What does it cost?" in topic.resolve_references(question)


def test_a_first_question_stays_as_it_is() -> None:
    assert topic.resolve_references(asked("Do you ship abroad?")) == "Do you ship abroad?"


def test_names_are_masked_in_any_spelling() -> None:
    assert mask_names("Does the golden wok deliver?", ["Golden Wok"]) == "Does it deliver?"
    assert mask_names("Is the train late?", ["train"]) == "Is the train late?"
    assert mask_names("How do I bold text in Markdown?", ["Golden Wok", None]) == "How do I bold text in Markdown?"


def test_a_question_that_leans_on_those_before_it_is_made_whole_with_what_the_customer_said() -> None:
    def said(*texts: str) -> Question:
        before = [turn for text in texts[:-1] for turn in (Utterance("customer", text), Utterance("bot", "Hm."))]
        return Question("t", texts[-1], tuple(before))

    first = "How much is delivery to Ireland?"
    assert topic.made_whole(said(first, "and to Spain?")) == f"{first} and to Spain?"
    assert topic.made_whole(said(first, "and to Spain?", "how long does it take")) == (
        f"{first} and to Spain? how long does it take"
    )
    assert topic.made_whole(said(first, "Can I return a lamp?", "until when?")) == "Can I return a lamp? until when?"
    assert topic.made_whole(said("until when?")) == "until when?"
    assert topic.made_whole(Question("t", "purple", (Utterance("customer", "where is my order"),))) == "purple"
    for alone in ("Can I return a lamp that is broken", "Is there parking in Leeds?", "Is it safe to pay online?"):
        assert topic.made_whole(said(first, alone)) == alone
