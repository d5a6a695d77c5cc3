"""What is not English is found by a model of its own."""

from __future__ import annotations

import numpy as np
import pytest

from core.settings import Settings
from knowledge.embeddings.embedder import Embedder
from knowledge.embeddings.multilingual import MultilingualEmbedder
from knowledge.index.entry_vectors import TextEmbedder
from knowledge.types import Entry, Question
from tests.knowledge.conftest import Shop

ENTRIES = {
    "de": {
        "Wie lange dauert der Versand?": "Pakete kommen nach 2 bis 4 Werktagen an.",
        "Wann bekomme ich mein Geld zurück?": "Innerhalb von 7 Tagen nach Eingang der Rücksendung.",
        "Welche Zahlungsarten gibt es?": "Kreditkarte, PayPal und Rechnung.",
        "Wie lösche ich mein Konto?": "Unter Einstellungen, Datenschutz.",
    },
    "en": {
        "Do you have a student discount?": "Students get 10 % off.",
        "Can I park at the store?": "There is a car park next door.",
    },
    "ur": {
        "ڈیلیوری میں کتنے دن لگتے ہیں؟": "پارسل تین سے پانچ دن میں پہنچ جاتا ہے۔",
        "میں آرڈر کیسے منسوخ کروں؟": "ایپ میں آرڈر کھولیں اور منسوخ کریں دبائیں۔",
    },
}


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    for language, entries in ENTRIES.items():
        for question, answer in entries.items():
            shop.add(question, answer, language=language)
    shop.sync()
    return shop


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("wann ist mein Paket da", "Pakete kommen nach 2 bis 4 Werktagen an."),
        ("kann ich mit Visa bezahlen", "Kreditkarte, PayPal und Rechnung."),
        ("ich will nicht mehr Kunde sein, bitte alles löschen", "Unter Einstellungen, Datenschutz."),
        ("is it cheaper at university", "Students get 10 % off."),
        ("میرا پارسل کب تک آئے گا", "پارسل تین سے پانچ دن میں پہنچ جاتا ہے۔"),
        ("مجھے یہ چیز نہیں چاہیے، آرڈر ختم کرنا ہے", "ایپ میں آرڈر کھولیں اور منسوخ کریں دبائیں۔"),
    ],
)
def test_each_language_finds_its_own_entries(stocked: Shop, asked: str, answer: str) -> None:
    assert stocked.best(asked) == answer


def test_a_likely_answer_is_sent_in_its_language(stocked: Shop, settings: Settings, embedder: Embedder) -> None:
    answering = stocked.knowledge.answering
    answer = answering.answer(Question(stocked.tenant, "Wie lange dauert denn der Versand bei euch?"))
    assert answer.outcome in {"answered", "suggested"}
    assert answer.parts[0].text == "Pakete kommen nach 2 bis 4 Werktagen an."


def test_any_text_can_be_embedded() -> None:
    texts = ["", "\x00", "😀" * 500, "ein Wort " * 5000, "\ud800".encode("utf-8", "replace").decode()]
    embedder = MultilingualEmbedder()
    for vectors in (embedder.embed_questions(texts), embedder.embed_passages(texts)):
        assert vectors.shape == (len(texts), 384)
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-3)


def test_two_models_count_together_and_what_is_not_english_is_read_by_one(embedder: Embedder) -> None:
    multilingual = MultilingualEmbedder()
    texts = TextEmbedder(embedder, multilingual)
    asked = "is the shop open on sundays"
    entries = [Entry(language, 1, "passage", (), "Open daily.", language=language) for language in ("en", "de")]
    rows = texts.embed_entries(entries)
    one = float(embedder.embed(["Open daily."])[0] @ embedder.embed([asked])[0])
    other = float(multilingual.embed_passages(["Open daily."])[0] @ multilingual.embed_questions([asked])[0])
    cosines = {language: float(row[0] @ texts.embed_asked([asked])[0]) for language, row in rows.items()}
    assert cosines["en"] == pytest.approx(0.6 * one + 0.4 * other, abs=1e-3)
    assert cosines["de"] == pytest.approx(0.4**0.5 * other, abs=1e-3)
    assert np.linalg.norm(rows["en"], axis=1) == pytest.approx(1, abs=1e-3)
    assert TextEmbedder(embedder).embed_entries(entries)["de"].shape == (1, 384)


def test_of_several_texts_each_is_read_in_english_and_the_first_and_the_last_in_every_language(
    embedder: Embedder,
) -> None:
    multilingual = MultilingualEmbedder()
    asked = ["and for Spain?", "delivery to France and for Spain?", "How long is delivery to France? and for Spain?"]
    together = TextEmbedder(embedder, multilingual).embed_asked(asked)
    english, others = embedder.embed(asked), multilingual.embed_questions([asked[0], asked[0], asked[2]])
    assert together == pytest.approx(np.hstack([0.6**0.5 * english, 0.4**0.5 * others]), abs=1e-3)
