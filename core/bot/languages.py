"""The bot's languages: one file each, and language detection for conversations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from core.errors import InvalidInput, SettingsInvalid
from core.language import WORDS, script_of

ENGLISH = "en"
"""The fallback for languages without a text; its own texts are in the domains."""
SLOT = "language"
"""The domain's slot for the conversation's language."""
FOLDER = "languages"
"""Folder in the base and in each skill, with a file for each language except English."""
CLEAR = 3
"""Number of words from which a message is clear; a shorter one only counts if no clear one exists."""
_ALIKE = (frozenset({"ur", "fa", "ar"}), frozenset({"zh", "ja"}))
"""Languages that share a script; short text is taken for the one that the bot speaks."""


@dataclass(frozen=True)
class LanguageFile:
    """Contents of one language file, of the base or of a skill."""

    file: Path
    responses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """In the format of a Rasa domain."""
    nlu: list[dict[str, Any]] = field(default_factory=list)
    """In the format of Rasa's training data."""
    usual: frozenset[str] = frozenset()
    """Words that identify the language."""

    @classmethod
    def read(cls, file: Path) -> LanguageFile:
        """Read a language file; the result is empty if there is no such file.

        Raises:
            InvalidInput: the format differs from docs/languages.md.
        """
        if not file.is_file():
            return cls(file)
        try:
            found = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
            usual = (found.get("words") or {}).get("usual") or ""
            responses = {name: [{**each} for each in texts] for name, texts in (found.get("responses") or {}).items()}
            return cls(file, responses, list(found.get("nlu") or ()), frozenset(usual.split()))
        except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, TypeError) as error:
            raise InvalidInput(f"{file} is not a language's file, see docs/languages.md: {error}") from None


def check_languages(languages: Iterable[str], folder: Path) -> None:
    """Check that each language has a file in the base's folder.

    Raises:
        SettingsInvalid: one has none; lists the available languages.
    """
    there_are = [ENGLISH, *sorted(file.stem for file in folder.glob("*.yml") if file.stem != ENGLISH)]
    for language in languages:
        if language not in there_are:
            raise SettingsInvalid(
                f'There are no texts for the language "{language}". There are: {", ".join(there_are)}; another one is a file '
                f"in {folder.parent.name}/{folder.name}, see docs/languages.md."
            )


@dataclass(frozen=True)
class Recogniser:
    """Detects the language of a conversation among the bot's languages."""

    spoken: tuple[str, ...] = (ENGLISH,)
    """The first one is the bot's own, used for customers who write in another language, or when detection fails."""
    usual: dict[str, frozenset[str]] = field(default_factory=dict)

    def language_of(self, texts: Sequence[str]) -> str:
        """Return the language of a customer's texts, newest first: of the last clear message, else of the last detectable one."""
        told = ""
        for text in texts:
            found, clear = self._detect_language(text)
            if found and clear:
                return self._choose_spoken_language(found)
            told = told or found
        return self._choose_spoken_language(told)

    def _choose_spoken_language(self, language: str) -> str:
        return language if language in self.spoken else self.spoken[0]

    def _detect_language(self, text: str) -> tuple[str, bool]:
        """Return the language, or "" if unknown, and whether there is enough text to be sure."""
        if script := script_of(text):
            alike = next((each for each in _ALIKE if script in each), frozenset({script}))
            return (script if script in self.spoken else next((e for e in self.spoken if e in alike), script)), True
        words = Counter(re.findall(r"(?<![\w@.-])[^\W\d_]+(?![\w@-])", text.lower()))
        counts = {each: sum(words[word] for word in self._get_vocabulary(each)) for each in {*WORDS, *self.spoken}}
        most = max(counts.values())
        best = [language for language, count in counts.items() if count == most]
        if len(best) > 1:  # languages that the bot does not speak are not told apart
            best = [language for language in best if language in self.spoken]
        return (best[0], most > 1 and words.total() >= CLEAR) if most and len(best) == 1 else ("", False)

    def _get_vocabulary(self, language: str) -> frozenset[str]:
        return WORDS.get(language, frozenset()) | self.usual.get(language, frozenset())


def in_languages(
    responses: dict[str, list[dict[str, Any]]],
    translated: dict[str, dict[str, list[dict[str, Any]]]],
    spoken: Sequence[str],
    voice: dict[str, str],
) -> dict[str, list[dict[str, Any]]]:
    """Build responses with a variation for each language, selected by the slot ``language``; English is the fallback.

    ``translated`` holds the responses of each language except English. Variations are filtered by voice here, because Rasa would
    choose at random between one for the tone and one for the language.
    """
    return {name: _build_variations(name, texts, translated, spoken, voice) for name, texts in responses.items()}


def _build_variations(
    name: str,
    texts: list[dict[str, Any]],
    translated: dict[str, dict[str, list[dict[str, Any]]]],
    spoken: Sequence[str],
    voice: dict[str, str],
) -> list[dict[str, Any]]:
    own = {language: select_variations(translated.get(language, {}).get(name) or texts, voice) for language in spoken}
    if not any(name in translated.get(language, {}) for language in spoken):
        return texts
    plain = [text for text in own[spoken[0]] if not text.get("condition") and not text.get("channel")]
    chosen = [
        {**text, "condition": [*text.get("condition", ()), {"type": "slot", "name": SLOT, "value": language}]}
        for language, variations in own.items()
        for text in variations
    ]
    return [*plain, *chosen]


def select_variations(texts: list[dict[str, Any]], voice: dict[str, str]) -> list[dict[str, Any]]:
    """Select as Rasa does by voice: variations with matching conditions, or else those without conditions."""
    for_voice = [
        text
        for text in texts
        if (asked := _list_voice_conditions(text, voice)) and all(voice[n] == v for n, v in asked)
    ]
    chosen = for_voice or [text for text in texts if not _list_voice_conditions(text, voice)]
    return [_without_voice(text, voice) for text in chosen]


def _list_voice_conditions(text: dict[str, Any], voice: dict[str, str]) -> list[tuple[str, Any]]:
    return [(each["name"], each["value"]) for each in text.get("condition") or () if each.get("name") in voice]


def _without_voice(text: dict[str, Any], voice: dict[str, str]) -> dict[str, Any]:
    left = [each for each in text.get("condition") or () if each.get("name") not in voice]
    rest = {name: value for name, value in text.items() if name != "condition"}
    return {**rest, "condition": left} if left else rest
