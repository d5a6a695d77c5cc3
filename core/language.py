"""Simple language detection by script, and by function words for Latin scripts."""

from __future__ import annotations

import re
from collections import Counter

SCRIPTS = (
    ("ur", re.compile(r"[ٹڈڑںےۓھ]")),
    ("fa", re.compile(r"[پچژگ]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("bn", re.compile(r"[\u0980-\u09ff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
)
OWN_NAMES = {
    "ar": "العربية", "bn": "বাংলা", "de": "Deutsch", "el": "Ελληνικά", "en": "English", "es": "español", "fa": "فارسی",
    "fr": "français", "he": "עברית", "hi": "हिन्दी", "it": "italiano", "ja": "日本語", "ko": "한국어", "nl": "Nederlands",
    "pt": "português", "ru": "русский", "th": "ไทย", "ur": "اردو", "zh": "中文",
}  # fmt: skip
"""Each language's name in that language."""
ENGLISH = {
    "ar": "الإنجليزية", "de": "Englisch", "en": "English", "es": "inglés", "fr": "anglais", "hi": "अंग्रेज़ी", "it": "inglese",
    "nl": "Engels", "pt": "inglês", "ru": "английский", "ur": "انگریزی", "zh": "英语",
}  # fmt: skip
"""The word for English in other languages; most help centres are in English."""
SMALL_WORDS = {
    "en": "the and you your is are do my it have to of in for with we our can not this that how what when where which does i a an on "
    "be was if there will would could from at me or any but has did so as by",
    "de": "der die das den dem des und ist sind nicht sie wir ihre ihr mein meine mit für ein eine einen auf wie können kann zu zum zur von "
    "im ich es habe haben was wann wo wer warum bei nach noch wenn oder aber auch wird werden bitte etwas",
    "fr": "le la les l et est sont vous votre vos nous dans pour avec un une des de pas sur comment du je ma mon mes où quand quel quelle "
    "combien ce cette il elle que qui en au aux peut puis ne plus j c d",
    "es": "el la los las y es son está usted su sus nos para con un una del de no por cómo que qué en mi mis me se al lo dónde cuándo "
    "cuánto cuánta cuál puedo tiene tienen hay hago hacen pero si más",
    "it": "il lo la i gli le e è sono lei suo noi per con un una uno del della di non come che mi mio mia si al alla dove quando quanto "
    "quale cosa posso ha avete nel da più anche se",
    "nl": "de het een en is niet u uw wij voor met van op hoe zijn kan ik mijn je jullie wat wanneer waar welke dit dat naar bij ook er "
    "te om als heb heeft kunnen moet wordt",
    "pt": "o a os as e é são você seu sua nós para com um uma do da de não como que em meu minha me se ao onde quando quanto quanta "
    "qual posso tem há mais pelo pela está no na",
}
WORDS = {language: frozenset(words.split()) for language, words in SMALL_WORDS.items()}
LAST_LATIN = 0x24F
ENOUGH = 0.15
"""Minimum share of non-Latin letters for a text to count as written in another script."""


def name_language(language: str, said_in: str) -> str:
    """Return a language's name in a form that speakers of ``said_in`` can read."""
    return ENGLISH.get(said_in, OWN_NAMES["en"]) if language == "en" else OWN_NAMES.get(language, language)


def script_of(text: str) -> str:
    """Return the language of a non-Latin script that makes up enough of the text, else an empty string."""
    sample = text[:4000]
    letters = sum(c.isalpha() for c in sample) or 1
    foreign = sum(c.isalpha() and ord(c) > LAST_LATIN for c in sample)
    return next((code for code, script in SCRIPTS if script.search(sample)), "en") if foreign / letters > ENOUGH else ""


def language_of(text: str, otherwise: str = "en") -> str:
    """Return the ISO 639-1 code of a text; "en" in case of doubt, and ``otherwise`` without any known word."""
    if script := script_of(text):
        return script
    words = Counter(re.findall(r"(?<![\w-])[^\W\d_]+(?![\w-])", text[:4000].lower()))
    counts = {language: sum(words[w] for w in small) for language, small in WORDS.items()}
    best = max(counts, key=lambda language: (counts[language], language == "en"))
    if not counts[best]:
        return otherwise
    return best if counts[best] > counts["en"] else "en"
