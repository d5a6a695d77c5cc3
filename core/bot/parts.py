"""The bot's parts: the base, the enabled skills, and the voice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from core.bot.languages import ENGLISH, FOLDER, SLOT, LanguageFile, Recogniser, in_languages
from core.errors import InvalidInput, SettingsInvalid

ROOT = Path(__file__).parents[2]
BASE_DOMAIN = ROOT / "domain.yml"
BASE_DATA = ROOT / "bot/data"
BASE_CONFIG = ROOT / "config.yml"
BASE_TESTS = ROOT / "tests/conversations"
SKILLS = ROOT / "bot/skills"
DEMO_SKILLS = ("shop_orders",)
NONE = "none"
"""A setting that disables every skill, including the demo's."""

Tone = Literal["friendly", "formal"]
BASE_LANGUAGES = ROOT / "bot" / FOLDER
LANGUAGES = (ENGLISH, "de", "ur")
"""Languages of the base."""
GREETING = "utter_greet"
OTHER_LANGUAGE = "utter_other_language_"
GREETINGS: dict[Tone, str] = {
    "friendly": "Hello! I'm {bot_name}. How can I help?",
    "formal": "Good day, I am {bot_name}. How may I help you?",
}
_LISTS = ("intents", "entities", "actions")
_DICTIONARIES = ("slots", "forms", "responses")
_NAMED_ONCE = ("slots", "forms", "actions", "responses")
"""Domain sections whose items only one file may define; intents and entities can be shared."""

VALUE = "inform"
"""The intent for messages that a form takes as the requested value."""
QUESTIONS = ("ask_knowledge", "ask_entry", "out_of_scope", "nlu_fallback")
"""Intents of messages that are never such a value."""
FAILURES = ("utter_default", "utter_failed")
"""Responses that report a failure; a turn that ends with one has failed."""


@dataclass(frozen=True)
class Skill:
    """An additional capability of the bot, in a folder of its own."""

    folder: Path

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def domain(self) -> Path:
        """The file with its intents, slots, forms, actions and responses."""
        return self.folder / "domain.yml"

    @property
    def data(self) -> Path:
        """The folder with its examples and rules."""
        return self.folder / "data"

    @property
    def tests(self) -> Path:
        return self.folder / "tests"

    def actions(self) -> list[str]:
        """Return the actions in its domain.

        Raises:
            InvalidInput: the file is not a domain.
        """
        return [_get_item_name(action) for action in _read_domain(self.domain).get("actions") or ()]

    @classmethod
    def find(cls, place: str) -> Skill:
        """Find a skill by its name below ``bot/skills``, or by the path of its folder.

        Raises:
            SettingsInvalid: there is no such skill; lists the available ones.
        """
        found = cls(Path(place).resolve() if "/" in place else SKILLS / place)
        if found.domain.is_file() and found.name.isidentifier():
            return found
        there_are = ", ".join(sorted(domain.parent.name for domain in SKILLS.glob("*/domain.yml")))
        raise SettingsInvalid(
            f'There is no skill "{place}". There are: {there_are}; or the path of a folder that has a domain.yml, '
            "named with small letters, digits and _."
        )


@dataclass(frozen=True)
class Voice:
    """The bot's name, tone and greeting."""

    name: str = "Rejoinder"
    tone: Tone = "friendly"
    greeting: str = ""
    """Empty: a greeting that suits the tone."""

    @property
    def greets(self) -> str:
        """The greeting with the bot's name filled in."""
        return (self.greeting or GREETINGS[self.tone]).replace("{bot_name}", self.name)

    @property
    def slots(self) -> dict[str, str]:
        """Values of the slots that the responses of ``domain.yml`` use."""
        return {"bot_name": self.name, "greeting": self.greets, "tone": self.tone}


@dataclass(frozen=True)
class BotParts:
    """The files that Rasa is trained on, and the values filled into them."""

    data: Path = BASE_DATA
    """Examples and rules of the base; learnt examples are added there."""
    skills: tuple[Skill, ...] = ()
    voice: Voice = Voice()
    base: Path = BASE_DOMAIN
    """The base's domain."""
    languages: tuple[str, ...] = LANGUAGES
    """The bot's languages, its own first."""
    config: Path = BASE_CONFIG
    """Rasa's configuration: NLU pipeline and policies."""
    tests: Path | None = BASE_TESTS
    """The base's conversation tests."""
    project: Path | None = None
    """An adopted Rasa project; it may contain its own components."""
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Names of the base that are replaced in the domain, because an adopted project already uses them."""

    @property
    def domains(self) -> list[Path]:
        """The base's domain, then those of the skills."""
        return [self.base, *(skill.domain for skill in self.skills)]

    @property
    def data_folders(self) -> list[Path]:
        """The base's data folder, then those of the skills."""
        return [self.data, *(skill.data for skill in self.skills if skill.data.is_dir())]

    @property
    def test_folders(self) -> list[Path]:
        """The base's tests, then those of the skills."""
        return [*([self.tests] if self.tests else ()), *(skill.tests for skill in self.skills if skill.tests.is_dir())]

    def domain(self) -> dict[str, Any]:
        """Return the merged domain, with the voice filled in, slot mappings restricted to values, and failures marked.

        Raises:
            InvalidInput: a file is not a domain, or two define the same item; says where.
        """
        parts = {file: _read_domain(file) for file in self.domains}
        _check_unique(parts)
        domain = _merge_domains(list(parts.values()))
        for slot, value in self._build_voice_slots().items():
            domain["slots"][slot]["initial_value"] = value
        if self.project is None:
            domain["intents"] = [_without_language(intent) for intent in domain["intents"]]
        voice = self._rename_slots(self.voice.slots)
        domain["responses"] = in_languages(domain["responses"], self._collect_translations(), self.languages, voice)
        domain["slots"] = {name: _values_only(slot, domain["intents"]) for name, slot in domain["slots"].items()}
        said = domain["responses"]
        domain["responses"] = {
            name: _add_failure_note(said[name], name) if name in FAILURES else said[name] for name in said
        }
        return domain

    def write_domain(self, file: Path) -> None:
        """Write the domain in Rasa's format.

        Raises:
            InvalidInput: see ``domain``.
        """
        file.write_text(yaml.safe_dump(self.domain(), allow_unicode=True, sort_keys=False), encoding="utf-8")

    def intents(self) -> list[str]:
        """Return the names of all intents.

        Raises:
            InvalidInput: see ``domain``.
        """
        return [_get_item_name(intent) for intent in self.domain()["intents"]]

    def actions(self) -> list[str]:
        """Return the names of all actions, without forms and responses.

        Raises:
            InvalidInput: see ``domain``.
        """
        return [_get_item_name(action) for action in self.domain()["actions"]]

    def language_files(self) -> dict[str, list[LanguageFile]]:
        """Return the files of the base and the skills for each of the bot's languages.

        Raises:
            InvalidInput: the format of one differs from docs/languages.md.
        """
        folders = [BASE_LANGUAGES, *(skill.folder / FOLDER for skill in self.skills)]
        return {code: [LanguageFile.read(folder / f"{code}.yml") for folder in folders] for code in self.languages}

    def recogniser(self) -> Recogniser:
        """Create the language detector.

        Raises:
            InvalidInput: see ``language_files``.
        """
        files = self.language_files()
        return Recogniser(self.languages, {code: frozenset().union(*(e.usual for e in files[code])) for code in files})

    def lacking(self) -> dict[str, list[str]]:
        """Return, for each language, the responses that fall back to English.

        Raises:
            InvalidInput: see ``domain``.
        """
        named = [name for file in self.domains for name in _read_domain(file).get("responses") or {}]
        named = [name for name in named if not name.startswith(OTHER_LANGUAGE)]
        own = self._collect_translations()
        return {code: [name for name in named if name not in texts] for code, texts in own.items() if code != ENGLISH}

    def _collect_translations(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """Collect the responses of each language; a greeting set by an operator is used in every language."""
        files = self.language_files()
        texts = {
            code: {name: each.responses[name] for each in files[code] for name in each.responses} for code in files
        }
        set_by_hand = {GREETING} if self.voice.greeting else set()
        return {
            code: {self.names.get(n, n): own[n] for n in own if n not in set_by_hand} for code, own in texts.items()
        }

    def responses(self, language: str = "") -> dict[str, list[dict[str, Any]]]:
        """Return the responses that `app` sends itself, in the instance's voice, by their names in the base.

        Each value lists the variations of one response.

        Raises:
            InvalidInput: see ``domain``.
        """
        slots = self._build_voice_slots(language)
        said = {name: _select_responses(texts, slots) for name, texts in self.domain()["responses"].items()}
        return {**said, **{own: said[name] for own, name in self.names.items() if name in said}}

    def _build_voice_slots(self, language: str = "") -> dict[str, str]:
        """Return the values of the slots for voice and language, by their names in the domain."""
        return self._rename_slots({**self.voice.slots, SLOT: language or self.languages[0]})

    def _rename_slots(self, values: Mapping[str, str]) -> dict[str, str]:
        return {self.names.get(name, name): value for name, value in values.items()}


def find_skills(places: Iterable[str]) -> tuple[Skill, ...]:
    """Find the skills named in a setting.

    Raises:
        SettingsInvalid: there is no such skill, or two have the same name.
    """
    found = tuple(Skill.find(place) for place in places if place != NONE)
    if len({skill.name for skill in found}) < len(found):
        raise SettingsInvalid(f"Two skills have the same name: {', '.join(str(skill.folder) for skill in found)}")
    return found


def _read_domain(file: Path) -> dict[str, Any]:
    try:
        domain = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInput(f"{file} is not a domain: {error}") from None
    if not isinstance(domain, dict):
        raise InvalidInput(f"{file} is not a domain: it needs parts such as intents and responses")
    for part in (*_LISTS, *_DICTIONARIES):
        kind = list if part in _LISTS else dict
        if not isinstance(domain.get(part, kind()), kind):
            raise InvalidInput(f"{file}: {part} must be a {'list' if kind is list else 'set of names with values'}")
    return domain


def _check_unique(parts: dict[Path, dict[str, Any]]) -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for file, domain in parts.items():
        for part in _NAMED_ONCE:
            for item in domain.get(part) or ():
                places[f"{part[:-1]} {_get_item_name(item)}"].append(str(file))
    twice = [f"  the {name} is in {' and in '.join(files)}" for name, files in places.items() if len(files) > 1]
    if twice:
        raise InvalidInput("\n".join(["A skill may not define again what is there already:", *twice]))


def _merge_domains(domains: list[dict[str, Any]]) -> dict[str, Any]:
    merged = dict(domains[0])
    for part in _LISTS:
        items = [item for domain in domains for item in domain.get(part) or ()]
        merged[part] = list({_get_item_name(item): item for item in items}.values())
    for part in _DICTIONARIES:
        merged[part] = {name: value for domain in domains for name, value in (domain.get(part) or {}).items()}
    return merged


def _without_language(intent: Any) -> Any:
    """Make policies ignore an intent's language entity, which must not influence the next action."""
    ((name, config),) = intent.items() if isinstance(intent, dict) else ((intent, {}),)
    if "use_entities" in (config or {}):
        return intent
    return {name: {**(config or {}), "ignore_entities": [*((config or {}).get("ignore_entities") or ()), SLOT]}}


def _values_only(slot: dict[str, Any], intents: list[Any]) -> dict[str, Any]:
    """Restrict a slot's mappings to value intents, so that a form does not take a question as a value."""
    mappings = slot.get("mappings") if isinstance(slot, dict) else None
    return {**slot, "mappings": [_kept_to_values(each, intents) for each in mappings]} if mappings else slot


def _kept_to_values(mapping: dict[str, Any], intents: list[Any]) -> dict[str, Any]:
    if mapping.get("type") != "from_text" or mapping.get("intent"):
        return mapping
    named = mapping.get("not_intent") or [name for each in intents if (name := _get_item_name(each)) != VALUE]
    refused = [named] if isinstance(named, str) else named
    return {**mapping, "not_intent": list(dict.fromkeys([*refused, *QUESTIONS]))}


def _add_failure_note(texts: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Add a note for `app`, as in the answer of an action (``core/rasa/answer``)."""
    note = {"outcome": "failed", "error": f"the bot had nothing to say but {name}; its log has the cause"}
    return [{**text, "custom": {"rejoinder": note}} for text in texts]


def _get_item_name(item: Any) -> str:
    return str(next(iter(item)) if isinstance(item, dict) else item)


def _select_responses(texts: list[dict[str, Any]], slots: dict[str, str]) -> list[dict[str, Any]]:
    """Select as Rasa does: responses whose condition holds, or else those without a condition.

    Channel-specific variations are skipped, because `app` says the same on every channel.
    """
    texts = [text for text in texts if not text.get("channel")] or texts
    conditional = [
        text
        for text in texts
        if text.get("condition") and all(slots.get(each["name"]) == each["value"] for each in text["condition"])
    ]
    chosen = conditional or [text for text in texts if not text.get("condition")]
    return [{**text, "text": _fill_slots(str(text.get("text", "")), slots)} for text in chosen]


def _fill_slots(text: str, slots: dict[str, str]) -> str:
    for slot, value in slots.items():
        text = text.replace(f"{{{slot}}}", value)
    return text
