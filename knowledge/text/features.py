"""Input of the matcher for a question and an entry: their texts and simple signals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.text.names import mask_names
from knowledge.text.topic import STANDINGS, Standing
from knowledge.types import Entry, Question

TURNS_BEFORE = 2
LONGEST_TURN = 240
STOPWORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "i",
        "you",
        "he",
        "she",
        "it",
        "we",
        "they",
        "me",
        "my",
        "your",
        "their",
        "our",
        "its",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "am",
        "do",
        "does",
        "did",
        "can",
        "could",
        "will",
        "would",
        "shall",
        "should",
        "may",
        "might",
        "must",
        "have",
        "has",
        "had",
        "of",
        "to",
        "in",
        "on",
        "at",
        "for",
        "with",
        "from",
        "by",
        "about",
        "as",
        "or",
        "and",
        "but",
        "if",
        "so",
        "that",
        "this",
        "these",
        "those",
        "there",
        "here",
        "what",
        "which",
        "who",
        "how",
        "when",
        "where",
        "why",
        "please",
        "also",
        "just",
        "any",
        "some",
        "not",
        "no",
        "yes",
        "ok",
        "thanks",
        "thank",
        "hi",
        "hello",
    ]
)
OPPOSITES = tuple(
    (re.compile(rf"\b(?:{one})\b", re.IGNORECASE), re.compile(rf"\b(?:{other})\b", re.IGNORECASE))
    for one, other in (
        (
            r"turn(?:ing|ed)? on|switch(?:ing|ed)? on|enabl\w+|activat\w+",
            r"turn(?:ing|ed)? off|switch(?:ing|ed)? off|disabl\w+|deactivat\w+",
        ),
        (r"with", r"without"),
        (r"before", r"after"),
        (r"increas\w+|rais\w+|upgrad\w+", r"decreas\w+|reduc\w+|lower\w*|downgrad\w+"),
        (r"subscrib\w+", r"unsubscrib\w+"),
        (r"open(?:ing|ed)?|creat\w+", r"clos(?:e|ing|ed)|delet\w+"),
        (r"add(?:ing|ed)?", r"remov\w+"),
        (r"log(?:ging)? ?in|sign(?:ing)? ?in", r"log(?:ging)? ?out|sign(?:ing)? ?out"),
        (r"arriv\w+|check[- ]?in", r"depart\w+|check[- ]?out"),
        (r"first", r"last"),
        (r"start\w*", r"stop\w*|end(?:s|ing|ed)?"),
        (r"lock\w*", r"unlock\w*"),
        (r"send(?:ing)?", r"receiv\w+"),
    )
)


@dataclass(frozen=True)
class FeatureTexts:
    """The texts of one side: the question, the answer (empty for the question's side), and the preceding turns."""

    question: str
    answer: str
    before: tuple[str, ...]


def asked_texts(question: Question, subjects: Sequence[str]) -> FeatureTexts:
    """Return the question's side; names of the candidates' subjects are masked, other names are kept."""
    before = tuple(turn.text[:LONGEST_TURN] for turn in question.history[-TURNS_BEFORE:])
    return FeatureTexts(mask_names(question.text, subjects), "", before)


def entry_texts(entry: Entry, phrasing: str, answer: str) -> FeatureTexts:
    """Return the entry's side, in the same form as the question's."""
    before = tuple(turn.text[:LONGEST_TURN] for turn in entry.context[-TURNS_BEFORE:])
    return FeatureTexts(mask_names(phrasing, [entry.subject]), mask_names(answer, [entry.subject]), before)


def content_words(text: str) -> frozenset[str]:
    """Return the content words, cut to their first six letters so that endings do not matter."""
    return frozenset(word[:6] for word in re.findall(r"[^\W_]+", text.lower()) if word not in STOPWORDS)


def compute_overlap(one: str, other: str) -> float:
    """Return the Jaccard overlap of the content words."""
    a, b = content_words(one), content_words(other)
    return len(a & b) / len(a | b) if a | b else 0.0


def standing_numbers(found: Standing) -> list[float]:
    """Return the standing as a one-hot vector."""
    return [float(found == each) for each in STANDINGS]


def normalise_text(text: str) -> str:
    """Return the words in lowercase without punctuation, to compare phrasings."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def has_contradiction(asked: str, phrasing: str) -> bool:
    """Whether two questions differ in numbers or in opposites such as on and off."""
    numbers = set(re.findall(r"\d+(?:[.,]\d+)*", asked)), set(re.findall(r"\d+(?:[.,]\d+)*", phrasing))
    if all(numbers) and numbers[0].isdisjoint(numbers[1]):
        return True
    return has_opposite_terms(asked, phrasing)


def has_opposite_terms(asked: str, own: str) -> bool:
    """Whether one text has a word and the other only its opposite."""
    return any(_has_opposite_sides(one, other, asked, own) for one, other in OPPOSITES)


def _has_opposite_sides(one: re.Pattern[str], other: re.Pattern[str], asked: str, phrasing: str) -> bool:
    sides = [(bool(one.search(t)), bool(other.search(t))) for t in (asked, phrasing)]
    return sides in ([(True, False), (False, True)], [(False, True), (True, False)])
