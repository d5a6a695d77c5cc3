"""Read the examples of Rasa's training files."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from core.bot.parts import BotParts
from core.errors import InvalidInput

LEARNT = "learnt.yml"
"""The file of learnt examples, in `nlu/` of the base."""
HEAD = f"""version: "3.1"

# What customers wrote and people corrected. Written by `rejoinder nlu export`, which sorts it and keeps no comments:
# an example that deserves a place by hand belongs into a topic file. {LEARNT} and the topic files are one to Rasa.
"""
_ANNOTATED = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")


@dataclass(frozen=True)
class Example:
    """A message with its intent and file."""

    text: str
    """The message text as a customer writes it, without entity annotations."""
    intent: str
    file: str = ""

    @property
    def base(self) -> str:
        """The intent as rules name it, without the last part of a retrieval intent."""
        return self.intent.partition("/")[0]

    @property
    def key(self) -> str:
        """Normalised text; equal for examples that the bot cannot distinguish."""
        return " ".join(self.text.casefold().split())


def read_parts(parts: BotParts) -> list[Example]:
    """Return all examples that the bot is trained on, without learnt ones for disabled skills.

    Raises:
        InvalidInput: a file is not valid for Rasa; the message names it.
    """
    intents = set(parts.intents())
    base = [e for e in read_folder(parts.data) if e.base in intents or not is_learnt(e)]
    in_language = [
        replace(e, file=f"{file.file.parent.parent.name}/{e.file}")
        for files in parts.language_files().values()
        for file in files
        if file.nlu
        for e in read_file(file.file, f"languages/{file.file.name}")
        if e.intent in intents
    ]
    skills = ((skill.name, read_folder(skill.data)) for skill in parts.skills if skill.data.is_dir())
    return [*base, *in_language, *(replace(e, file=f"{name}/{e.file}") for name, examples in skills for e in examples)]


def is_learnt(example: Example) -> bool:
    """Whether the example was exported rather than written by hand."""
    return example.file == f"nlu/{LEARNT}"


def read_folder(folder: Path) -> list[Example]:
    """Read all examples in a folder, file by file.

    Raises:
        InvalidInput: a file is not valid for Rasa; the message names it.
    """
    if not folder.is_dir():
        raise InvalidInput(f"There is no folder {folder} with training data.")
    return [
        example for file in sorted(folder.rglob("*.yml")) for example in read_file(file, str(file.relative_to(folder)))
    ]


def read_file(file: Path, name: str = "") -> list[Example]:
    """Read the examples of a file; empty if it has only rules or stories.

    Raises:
        InvalidInput: the file is not YAML, or not in Rasa's format.
    """
    name = name or file.name
    found: list[Example] = []
    for part in _read_document(file, name).get("nlu") or ():
        if not isinstance(part, dict):
            raise InvalidInput(f"{name}: under nlu there is {part!r}, where an intent should be")
        if "intent" in part:
            found += read_item(part, name)
    return found


def read_item(part: dict[str, Any], name: str) -> list[Example]:
    """Read the examples of an intent; a retrieval intent keeps its last part, as in faq/opening_hours.

    Raises:
        InvalidInput: the examples are not in Rasa's format.
    """
    return [Example(text, str(part["intent"]), name) for text in _parse_example_texts(part, name)]


def format_examples(examples: list[Example]) -> str:
    """Format the file with intents and examples in alphabetical order, which keeps diffs minimal."""
    by_intent: dict[str, list[str]] = defaultdict(list)
    for example in sorted(examples, key=lambda e: (e.intent, e.key)):
        by_intent[example.intent].append(example.text)
    parts = (
        f"  - intent: {i}\n    examples: |\n" + "".join(f"      - {t}\n" for t in texts)
        for i, texts in by_intent.items()
    )
    return f"{HEAD}nlu:\n{''.join(parts)}" if by_intent else f"{HEAD}nlu: []\n"


def write_rows(file: Path, examples: Iterable[Example]) -> None:
    """Write one ``{"text", "intent"}`` per line."""
    rows = ({"text": example.text, "intent": example.base} for example in examples)
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def read_rows(file: Path) -> list[Example]:
    return [Example(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]


def _read_document(file: Path, name: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{name} is not valid YAML: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("nlu") or [], list):
        raise InvalidInput(f"{name} is not a file of Rasa's: it needs `nlu:` with a list of intents")
    return document


def _parse_example_texts(part: dict[str, Any], name: str) -> list[str]:
    examples = part.get("examples") or ""
    if isinstance(examples, list) and all(isinstance(each, dict) and "text" in each for each in examples):
        return [_ANNOTATED.sub(r"\1", str(each["text"]).strip().removeprefix("-").strip()) for each in examples]
    if not isinstance(examples, str):
        raise InvalidInput(f"{name}: the examples of {part['intent']} must be one text (`examples: |`)")
    lines = [line.strip() for line in examples.splitlines() if line.strip()]
    if wrong := next((line for line in lines if not line.startswith("-")), None):
        raise InvalidInput(f"{name}: an example of {part['intent']} does not begin with a dash: {wrong}")
    return [_ANNOTATED.sub(r"\1", line[1:].strip()) for line in lines]
