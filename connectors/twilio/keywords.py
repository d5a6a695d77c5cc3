"""Recognise short ratings and opt-out keywords in English, Urdu and Roman Urdu."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_SURE_YES = {
    "👍", "👌", "helpful", "very helpful", "it was helpful", "that was helpful", "this was helpful", "it helped", "that helped",
    "madad hui", "madad mili", "mufeed", "bohat mufeed", "faida hua", "مفید", "بہت مفید", "مدد ملی", "فائدہ ہوا",
}  # fmt: skip
_SURE_NO = {
    "👎", "not helpful", "unhelpful", "not useful", "useless", "it was not helpful", "that was not helpful", "it didnt help",
    "that didnt help", "did not help", "madad nahi hui", "madad nahi mili", "mufeed nahi", "faida nahi hua", "bekar",
    "مفید نہیں", "مدد نہیں ملی", "فائدہ نہیں ہوا", "بیکار",
}  # fmt: skip
_YES = {
    "1", "yes", "y", "yes it was", "yes it did", "yes thanks", "yes thank you", "yeah", "yep", "yup",
    "haan", "han", "haa", "ha", "ji", "jee", "ji haan", "ji han", "jee haan", "haan ji", "han ji", "hanji", "haanji", "jee han", "g", "g haan", "bilkul",
    "ہاں", "جی", "جی ہاں", "ہاں جی", "بالکل",
}  # fmt: skip
_NO = {
    "2", "no", "n", "no it wasnt", "no it was not", "no it didnt", "no it did not", "nope", "nah", "not really",
    "nahi", "nahin", "nai", "nhi", "ji nahi", "jee nahi", "ji nahin", "jee nahin", "nahi ji", "nahin ji", "g nahi", "bilkul nahi",
    "نہیں", "جی نہیں", "نہ", "بالکل نہیں",
}  # fmt: skip
_STOP = {
    "stop", "stopall", "stop all", "unsubscribe", "opt out", "optout", "band karo", "band karein", "band kar do",
    "بند کریں", "بند کرو", "بند کر دیں",
}  # fmt: skip
_START = {"start", "unstop", "subscribe", "opt in", "shuru", "shuru karo", "shuru karein", "شروع", "شروع کریں"}
_IGNORED = re.compile(r"[\U0001F3FB-\U0001F3FF\uFE0F\u200d\u200c'’`´]")  # noqa: RUF001 - apostrophes of all keyboards
_FOLDED = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک", "ه": "ہ", "ة": "ہ", "ھ": "ہ"})  # noqa: RUF001
"""Arabic keyboard letters and the Urdu letters that they stand for."""


@dataclass(frozen=True)
class Rating:
    """A rating expressed by a short message."""

    helpful: bool
    sure: bool
    """Whether the text is unambiguous; a yes, no, 1 or 2 may answer another question."""


def rating_in(text: str) -> Rating | None:
    """Return the rating if the text is nothing but a rating, otherwise None."""
    said = _normalise_text(text)
    for words, helpful, sure in (
        (_SURE_YES, True, True),
        (_SURE_NO, False, True),
        (_YES, True, False),
        (_NO, False, False),
    ):
        if said in words:
            return Rating(helpful, sure)
    return None


def wants_messages(text: str) -> bool | None:
    """Return False for an opt-out keyword, True for an opt-in keyword, otherwise None."""
    said = _normalise_text(text)
    return False if said in _STOP else True if said in _START else None


def _normalise_text(text: str) -> str:
    """Return the text in lower case, with single spaces, ASCII digits and collapsed emoji, without skin tones or punctuation."""
    text = unicodedata.normalize("NFKC", _IGNORED.sub("", text)).casefold().translate(_FOLDED)
    text = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in text)
    text = re.sub(r"([👍👎👌])(?:\s*\1)+", r"\1", text)
    return " ".join("".join(" " if unicodedata.category(c)[0] in "PZ" else c for c in text).split())
