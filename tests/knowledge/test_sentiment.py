"""How messages sound, by the shipped weights; and how urgent they are."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.sentiment import sentences
from knowledge.embeddings.embedder import Embedder
from knowledge.sentiment import urgency
from knowledge.sentiment.model import CALM, FEELINGS, SentimentModel, is_latin, load_sentiment


@pytest.fixture(scope="module")
def model(embedder: Embedder) -> SentimentModel:
    return SentimentModel(embedder)


@pytest.mark.parametrize(
    ("text", "feeling"),
    [
        ("This is outrageous, you are thieves and I want my money back NOW!!!", "angry"),
        ("I've waited three weeks and nobody has replied, I'm really disappointed", "negative"),
        ("Where can I see my invoice?", "neutral"),
        ("no", "neutral"),
        ("Bye!", "neutral"),
        ("I need a refund", "neutral"),
        ("I'd like to cancel my order", "neutral"),
        ("What is your return policy?", "neutral"),
        ("Thank you so much, that was very helpful!", "positive"),
        ("bohat shukriya, zabardast service hai", "positive"),
        ("tum log fraud ho, mere paise wapis karo abhi", "angry"),
        ("order kharab nikla, bohat mayoos hun", "negative"),
        ("mera order kab ayega", "neutral"),
        ("بہت شکریہ، بہترین سروس", "positive"),
        ("میں بہت مایوس ہوں، سامان خراب نکلا", "negative"),
        ("میرا آرڈر کب آئے گا", "neutral"),
    ],
)
def test_plain_messages_are_told(model: SentimentModel, text: str, feeling: str) -> None:
    mood = model(text)
    assert mood and mood.feeling == feeling


def test_probabilities_add_up(model: SentimentModel) -> None:
    odds = model.probabilities("Where is my parcel?")
    assert odds.shape == (len(FEELINGS),) and odds.sum() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "feeling"),
    [
        ("Two hours on hold", "negative"),
        ("Great, delayed again", "negative"),
        ("It's been four weeks and still no refund", "negative"),
        ("No problem, take your time", "neutral"),
        ("My card was lost, how do I order a new one?", "neutral"),
        ("What happens if my parcel gets damaged?", "neutral"),
        ("No complaints at all, everything was perfect", "positive"),
        ("bht late ho gya parcel, koi jwab nai deta", "negative"),
        ("parcel boht dair se aaya aur toota hua tha", "negative"),
        ("kya ye kharab hone par wapas ho jata hai?", "neutral"),
    ],
)
def test_a_plain_fact_is_a_complaint_and_a_sad_word_is_none(model: SentimentModel, text: str, feeling: str) -> None:
    assert model.feeling(text) == feeling


@pytest.mark.parametrize("latin", [True, False])
def test_most_urdu_sentences_that_it_has_not_seen_are_told(model: SentimentModel, latin: bool) -> None:
    found = [(feeling, model.feeling(text)) for text, feeling in sentences() if is_latin(text) == latin]
    assert sum(feeling == said for feeling, said in found) >= 0.6 * len(found)  # what it does; by chance a quarter
    assert sum(feeling in CALM and said == "angry" for feeling, said in found) <= 1


@pytest.mark.parametrize(
    "text", ["Who is your CEO?", "who is the ceo", "Who is your boss?", "How do I make a complaint?"]
)
def test_what_only_sounds_like_a_quarrel_calls_nobody(model: SentimentModel, text: str) -> None:
    assert model.feeling(text) != "angry"


@pytest.mark.parametrize(
    "text", ["😡", "🤬🤬", "where is my parcel 😡", "ok 😠", "thanks 😡", "still nothing 👿!!", "کہاں ہے 😡"]
)
def test_an_angry_emoji_is_anger(model: SentimentModel, text: str) -> None:
    assert model.feeling(text) == "angry"


@pytest.mark.parametrize("text", ["do you sell the 😡 cushion?", "😂 😡 that was funny", "how much is a 🤬 mug"])
def test_an_emoji_that_is_spoken_of_or_laughed_at_is_no_anger(model: SentimentModel, text: str) -> None:
    assert model.feeling(text) != "angry"


@pytest.mark.timeout(5)
def test_a_thousand_emoji_take_no_time(model: SentimentModel) -> None:
    assert model("😀😡" * 1000) is not None


@pytest.mark.parametrize("text", ["", "   ", "👍", "\u0000", "a" * 20_000, "!?!?!?", "١٢٣"])
def test_nothing_that_is_written_breaks_it(model: SentimentModel, text: str) -> None:
    assert model(text) is not None


class OtherModel:
    """An embedding that there are no weights for."""

    def embed(self, texts: list[str]) -> np.ndarray:
        return np.ones((len(texts), 7), np.float32)


class Broken:
    """An embedding that fails."""

    def embed(self, texts: list[str]) -> np.ndarray:
        raise RuntimeError("no memory")


def test_with_another_embedding_the_words_alone_tell() -> None:
    mood = load_sentiment(OtherModel())("Thank you so much, great service!")
    assert mood and mood.feeling == "positive"


def test_where_it_fails_nothing_is_said() -> None:
    assert load_sentiment(Broken())("Thank you") is None


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("I'm stranded at the airport", "high"),
        ("Someone used my card, please block my card", "high"),
        ("I did not make this payment", "high"),
        ("My flight leaves in 40 minutes", "high"),
        ("The charger caught fire", "high"),
        ("I need it by tonight", "high"),
        ("foran jawab do", "high"),
        ("کارڈ چوری ہو گیا", "high"),
        ("It's not urgent, whenever you can", "low"),
        ("Where is my order?", "normal"),
        ("Nothing was stolen", "normal"),
    ],
)
def test_urgency_is_what_is_said(text: str, how: str) -> None:
    assert urgency.detect_urgency(text) == how
