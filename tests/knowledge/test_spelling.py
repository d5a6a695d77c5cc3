"""What customers mistype is put right before it is looked up."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from core.settings import Settings
from knowledge.answers.explanation import describe_explanation
from knowledge.embeddings.embedder import Embedder
from knowledge.entries.content import Content
from knowledge.text.speller import Speller
from knowledge.types import Question
from tests.knowledge.conftest import Shop

DOCUMENTS = {"send", "back", "gift", "card", "the", "brochure", "warranty", "parcelway", "table", "myself", "receipt"}


def known(_tenant: str, words: Iterable[str]) -> set[str]:
    return DOCUMENTS & set(words)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("can i stil snd it back", "can i still send it back"),
        ("hw much is on my giftcard", "how much is on my gift card"),
        ("Cuold u post me ur broshure?", "could you post me your brochure?"),
        ("is ther xtra warrenty", "is there extra warranty"),
        ("has Parcelwy got it, or parcelwy not", "has Parcelwy got it, or parcelway not"),
        ("must i build the tabel myslef", "must i build the table myself"),
        ("WHERE IS MY RECEPT", "WHERE IS MY receipt"),
    ],
)
def test_what_is_mistyped_is_put_right(text: str, meant: str) -> None:
    assert Speller(known, lambda _tenant: {"en"}).mend("t", text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "How long does delivery take?",
        "amex or gmail or wifi?",
        "Which colours does the catalogue show?",
        "mail me at jon@exmaple.com or see www.exmaple.com/tabel",
        "My name is Snd Wrrenty",
        "order TABEL-4711 or #42",
        "Wie lange dauert die Lieferung nach Österreich?",
        "mera order kahan hai bhai jaldi batao",
        "کیا آپ پاکستان بھیجتے ہیں؟",
        "",
        "😀 ???",
    ],
)
def test_what_is_right_a_name_or_another_language_stays(text: str) -> None:
    assert Speller(known, lambda _tenant: {"en"}).mend("t", text) == text


def test_a_mistyped_question_is_answered_from_the_words_of_the_documents(
    shop: Shop, settings: Settings, embedder: Embedder
) -> None:
    shop.add("Do you have a catalogue on paper?", "We post you our brochure.")
    shop.add("Can I get a Zorbex refill?", "Zorbex refills are sold in stores.")
    shop.sync()
    assert shop.knowledge.words.known(shop.tenant, ["catalogues", "zorbex", "the", "sofa"]) == {
        "catalogues",
        "zorbex",
        "the",
    }
    answering = shop.knowledge.answering
    answer = answering.answer(Question(shop.tenant, "can i get a zorbx refil"))
    assert answer.parts[0].text == "Zorbex refills are sold in stores."
    described = describe_explanation(answering.explain(Question(shop.tenant, "can i get a zorbx refil")))
    assert described["parts"][0]["notes"][0] == "Read as “can i get a zorbex refil”."
    shop.edit(shop.stored()[0].id, "amend", Content("faq", "No.", ("Do you have a Qwertyl?",)))
    shop.sync()
    assert shop.knowledge.words.known(shop.tenant, ["qwertyl"]) == {"qwertyl"}


def test_where_nothing_is_english_nothing_is_put_right() -> None:
    assert Speller(known, lambda _tenant: {"de"}).mend("t", "tabel recept wien") == "tabel recept wien"
