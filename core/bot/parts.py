"""What the bot of an instance is made of: the base, the skills that are on, and how it speaks."""

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
"""A setting that switches every skill off, the demo's too."""

Tone = Literal["friendly", "formal"]
BASE_LANGUAGES = ROOT / "bot" / FOLDER
LANGUAGES = (ENGLISH, "de", "ur")
"""Those that the base speaks."""
GREETING = "utter_greet"
OTHER_LANGUAGE = "utter_other_language_"
GREETINGS: dict[Tone, str] = {
    "friendly": "Hello! I'm {bot_name}. How can I help?",
    "formal": "Good day, I am {bot_name}. How may I help you?",
}
_LISTS = ("intents", "entities", "actions")
_DICTIONARIES = ("slots", "forms", "responses")
_NAMED_ONCE = ("slots", "forms", "actions", "responses")
"""Parts of a domain that only one file may define; intents and entities can be shared."""

VALUE = "inform"
"""The intent of what a form takes as the value that it waits for."""
QUESTIONS = ("ask_knowledge", "ask_entry", "out_of_scope", "nlu_fallback")
"""Those of what is never such a value."""
FAILURES = ("utter_default", "utter_failed")
"""Texts that say that something went wrong; a turn that ends with one has failed."""


@dataclass(frozen=True)
class Skill:
    """Something the bot can do beside answering, in a folder of its own."""

    folder: Path

    @property
    def name(self) -> str:
        """That of the folder."""
        return self.folder.name

    @property
    def domain(self) -> Path:
        """Its intents, slots, forms, actions and texts."""
        return self.folder / "domain.yml"

    @property
    def data(self) -> Path:
        """Its examples and rules."""
        return self.folder / "data"

    @property
    def tests(self) -> Path:
        return self.folder / "tests"

    def actions(self) -> list[str]:
        """The actions that its domain names.

        Raises:
            InvalidInput: it is not a domain.
        """
        return [_get_item_name(action) for action in _read_domain(self.domain).get("actions") or ()]

    @classmethod
    def find(cls, place: str) -> Skill:
        """By its name below ``bot/skills``, or by the path of its folder.

        Raises:
            SettingsInvalid: there is no such skill; names those there are.
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
    """How the bot speaks."""

    name: str = "Rejoinder"
    tone: Tone = "friendly"
    greeting: str = ""
    """Empty: one that suits the tone."""

    @property
    def greets(self) -> str:
        """The greeting with the name in it."""
        return (self.greeting or GREETINGS[self.tone]).replace("{bot_name}", self.name)

    @property
    def slots(self) -> dict[str, str]:
        """Values of the slots that the texts of ``domain.yml`` use."""
        return {"bot_name": self.name, "greeting": self.greets, "tone": self.tone}


@dataclass(frozen=True)
class BotParts:
    """The files that Rasa is trained on, and what is filled into them."""

    data: Path = BASE_DATA
    """Examples and rules of the base; learnt examples are added there."""
    skills: tuple[Skill, ...] = ()
    voice: Voice = Voice()
    base: Path = BASE_DOMAIN
    """The base's domain."""
    languages: tuple[str, ...] = LANGUAGES
    """Those it speaks, its own first."""
    config: Path = BASE_CONFIG
    """How messages are understood, and the next step chosen."""
    tests: Path | None = BASE_TESTS
    """The base's conversation tests."""
    project: Path | None = None
    """An adopted Rasa project; it may have components of its own."""
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Names of the base that are others in the domain, since an adopted project has them already."""

    @property
    def domains(self) -> list[Path]:
        """The base's, then the skills'."""
        return [self.base, *(skill.domain for skill in self.skills)]

    @property
    def data_folders(self) -> list[Path]:
        """The base's, then the skills'."""
        return [self.data, *(skill.data for skill in self.skills if skill.data.is_dir())]

    @property
    def test_folders(self) -> list[Path]:
        """The base's, then the skills'."""
        return [*([self.tests] if self.tests else ()), *(skill.tests for skill in self.skills if skill.tests.is_dir())]

    def domain(self) -> dict[str, Any]:
        """All domains as one, with the voice filled in, what no form may take kept from it, and failures marked as such.

        Raises:
            InvalidInput: a file is not a domain, or two define the same; says where.
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
        """As Rasa reads it.

        Raises:
            InvalidInput: as ``domain``.
        """
        file.write_text(yaml.safe_dump(self.domain(), allow_unicode=True, sort_keys=False), encoding="utf-8")

    def intents(self) -> list[str]:
        """Every intent.

        Raises:
            InvalidInput: as ``domain``.
        """
        return [_get_item_name(intent) for intent in self.domain()["intents"]]

    def actions(self) -> list[str]:
        """Every action that is no form and no text.

        Raises:
            InvalidInput: as ``domain``.
        """
        return [_get_item_name(action) for action in self.domain()["actions"]]

    def language_files(self) -> dict[str, list[LanguageFile]]:
        """The base's and the skills', for each language that is spoken.

        Raises:
            InvalidInput: one is not what docs/languages.md says.
        """
        folders = [BASE_LANGUAGES, *(skill.folder / FOLDER for skill in self.skills)]
        return {code: [LanguageFile.read(folder / f"{code}.yml") for folder in folders] for code in self.languages}

    def recogniser(self) -> Recogniser:
        """Tells the languages apart.

        Raises:
            InvalidInput: as ``language_files``.
        """
        files = self.language_files()
        return Recogniser(self.languages, {code: frozenset().union(*(e.usual for e in files[code])) for code in files})

    def lacking(self) -> dict[str, list[str]]:
        """For each language the responses that are said in English.

        Raises:
            InvalidInput: as ``domain``.
        """
        named = [name for file in self.domains for name in _read_domain(file).get("responses") or {}]
        named = [name for name in named if not name.startswith(OTHER_LANGUAGE)]
        own = self._collect_translations()
        return {code: [name for name in named if name not in texts] for code, texts in own.items() if code != ENGLISH}

    def _collect_translations(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """A greeting that an operator has set is said in every language."""
        files = self.language_files()
        texts = {
            code: {name: each.responses[name] for each in files[code] for name in each.responses} for code in files
        }
        set_by_hand = {GREETING} if self.voice.greeting else set()
        return {
            code: {self.names.get(n, n): own[n] for n in own if n not in set_by_hand} for code, own in texts.items()
        }

    def responses(self, language: str = "") -> dict[str, list[dict[str, Any]]]:
        """What `app` says itself, in the instance's voice, by the base's own names; the variations of one text are a list.

        Raises:
            InvalidInput: as ``domain``.
        """
        slots = self._build_voice_slots(language)
        said = {name: _select_responses(texts, slots) for name, texts in self.domain()["responses"].items()}
        return {**said, **{own: said[name] for own, name in self.names.items() if name in said}}

    def _build_voice_slots(self, language: str = "") -> dict[str, str]:
        """What the slots of the voice and of the language hold, by their names in the domain."""
        return self._rename_slots({**self.voice.slots, SLOT: language or self.languages[0]})

    def _rename_slots(self, values: Mapping[str, str]) -> dict[str, str]:
        return {self.names.get(name, name): value for name, value in values.items()}


def find_skills(places: Iterable[str]) -> tuple[Skill, ...]:
    """The skills that a setting names.

    Raises:
        SettingsInvalid: there is no such skill, or two have one name.
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
    """That a message tells its language makes it no other one for a policy."""
    ((name, config),) = intent.items() if isinstance(intent, dict) else ((intent, {}),)
    if "use_entities" in (config or {}):
        return intent
    return {name: {**(config or {}), "ignore_entities": [*((config or {}).get("ignore_entities") or ()), SLOT]}}


def _values_only(slot: dict[str, Any], intents: list[Any]) -> dict[str, Any]:
    """A slot that takes what is written takes no question; where its mapping names no intents, nothing but a value."""
    mappings = slot.get("mappings") if isinstance(slot, dict) else None
    return {**slot, "mappings": [_kept_to_values(each, intents) for each in mappings]} if mappings else slot


def _kept_to_values(mapping: dict[str, Any], intents: list[Any]) -> dict[str, Any]:
    if mapping.get("type") != "from_text" or mapping.get("intent"):
        return mapping
    named = mapping.get("not_intent") or [name for each in intents if (name := _get_item_name(each)) != VALUE]
    refused = [named] if isinstance(named, str) else named
    return {**mapping, "not_intent": list(dict.fromkeys([*refused, *QUESTIONS]))}


def _add_failure_note(texts: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """With a note for `app`, as an action's answer has one (``core/rasa/answer``)."""
    note = {"outcome": "failed", "error": f"the bot had nothing to say but {name}; its log has the cause"}
    return [{**text, "custom": {"rejoinder": note}} for text in texts]


def _get_item_name(item: Any) -> str:
    return str(next(iter(item)) if isinstance(item, dict) else item)


def _select_responses(texts: list[dict[str, Any]], slots: dict[str, str]) -> list[dict[str, Any]]:
    """As Rasa chooses: texts whose condition holds, where there are any; else those without one. `app` says the same on every channel."""
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
