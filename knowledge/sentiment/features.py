"""Sentiment features of a message: words, n-grams, capitals, punctuation, emoji, emoticons, and VADER scores."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from zlib import crc32

import numpy as np
import numpy.typing as npt
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

BUCKETS = 1 << 15
"""Rows of the n-gram table; features hashed to the same row share its weights."""
SHORTEST, LONGEST = 2, 5
"""Characters of an n-gram, including the word boundaries."""
HAPPY = "😀😃😄😁😆😂🤣😊😍🥰😘😎🤩🥳👍👏🙌🙏💯🎉❤💕💖💙💜💚🧡😇🙂😋🤗✨💪🔥🏆"
SAD = "😞😔😟😕🙁☹😣😖😫😩🥺😢😭💔👎😓😥😪😒🙄😑😐🤦🤷😬😷🤢🤮"
CROSS = "😤😠😡🤬👿💢🖕💩"
SHOWS = 0.05
"""VADER's compound value from which, according to its authors, a feeling shows."""

_NOISE = re.compile(r"https?://\S+|www\.\S+|@\w+|#(?=\w)")
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?|[!?]+|[:;=8x]-?[()\[\]dpo/\\|]|<3", re.IGNORECASE)
_LONG = re.compile(r"(.)\1{2,}")
_LATIN, _TWICE, _VOWELS = re.compile(r"[a-z]{3,}"), re.compile(r"(.)\1+"), re.compile(r"(?<=.)[aeiouyh]+")
_ALIKE = str.maketrans("wqzc", "vkjk")
_SMILE, _FROWN = re.compile(r"[:;=]['-]?[)\]DpP]|<3|\b(?:ha){2,}"), re.compile(r"[:=]['-]?[(\[/\\|]")
_DENIAL = re.compile(r"n['\u2019]?t$|^(?:not?|never|nothing|nobody|nahi|nahin|nai|na|نہیں|نہ)$")


def remove_addresses(text: str) -> str:
    """Remove web addresses and user names, which carry no sentiment."""
    return " ".join(_NOISE.sub(" ", unicodedata.normalize("NFKC", text)).split())


def compute_feature_rows(text: str) -> npt.NDArray[np.int64]:
    """Return the distinct table rows of a text's words, word pairs and n-grams."""
    words = [_LONG.sub(r"\1\1", word.lower()) for word in _WORD.findall(remove_addresses(text))]
    found = {f"w {word}" for word in words} | {f"p {a} {b}" for a, b in pairwise(words)}
    found |= {f"n {later}" for i, word in enumerate(words) if _DENIAL.search(word) for later in words[i + 1 : i + 4]}
    for word in words:
        found |= _split_ngrams(f"<{word}>")
        found |= {f"s {_simplify_spelling(part)}" for part in _LATIN.findall(word)}
    return np.array(sorted({crc32(each.encode()) % BUCKETS for each in found}), dtype=np.int64)


def _split_ngrams(word: str) -> set[str]:
    return {word[i : i + n] for n in range(SHORTEST, LONGEST + 1) for i in range(len(word) - n + 1)}


def _simplify_spelling(word: str) -> str:
    """Remove spelling variation of Roman Urdu: vowels, and letters that sound alike."""
    plain = _TWICE.sub(r"\1", word).replace("ph", "f").replace("ee", "i").replace("oo", "u")
    return _VOWELS.sub("", plain.translate(_ALIKE))


def compute_mark_features(text: str, *, rated: bool = True) -> npt.NDArray[np.float32]:
    """Return capitals, punctuation, emoji and emoticons, each 0 to 1, then VADER's scores, or zeros."""
    text = remove_addresses(text)
    words = [word for word in re.findall(r"[^\W\d_]+", text) if len(word) > 2]  # noqa: PLR2004 - OK and US shout nothing
    shouted = sum(word.isupper() for word in words)
    counts: Sequence[float] = (
        shouted / (len(words) or 1) if len(words) > 1 else 0,
        min(shouted, 3) / 3 if shouted < len(words) else 0,
        min(text.count("!"), 3) / 3,
        min(text.count("?"), 3) / 3,
        float("!!" in text or "?!" in text),
        float("??" in text),
        float("..." in text or "…" in text),
        float(bool(_LONG.search(text))),
        *(min(sum(text.count(each) for each in kind), 2) / 2 for kind in (HAPPY, SAD, CROSS)),
        float(bool(_SMILE.search(text))),
        float(bool(_FROWN.search(text))),
        min(len(words), 30) / 30,
        *(_compute_vader_scores(text) if rated else (0.0,) * 5),
    )
    return np.array(counts, dtype=np.float32)


def _compute_vader_scores(text: str) -> tuple[float, ...]:
    """Score with VADER, without emoji: they are counted above, and hundreds of them would take seconds."""
    found = _load_vader_analyzer().polarity_scores("".join(each for each in text if unicodedata.category(each) != "So"))
    compound = found["compound"]
    return compound, found["neg"], found["pos"], float(compound <= -SHOWS), float(compound >= SHOWS)


@cache
def _load_vader_analyzer() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()
