"""How messages sound, by the shipped weights; and how urgent they are."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge import urgency
from knowledge.embedding import Embedder
from knowledge.sentiment import FEELINGS, SentimentModel
from knowledge.wiring import make_sentiment


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
    mood = make_sentiment(OtherModel())("Thank you so much, great service!")
    assert mood and mood.feeling == "positive"


def test_where_it_fails_nothing_is_said() -> None:
    assert make_sentiment(Broken())("Thank you") is None


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
    assert urgency.of(text) == how
